/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Services that have extensions of their own: mount namespaces in which a tree of ours carries the name of a service
 * (specs: service.*). What a mount table says of a tree's source only privilege could have written, so a namespace is
 * believed where it belongs to our own user namespace.
 */
#pragma once

#include <sys/stat.h>

#include "record.h"

/* The name: letters, digits and ":_.@-", at most SERVICE_NAME_MAX of them, and neither "." nor "..". */
#define SERVICE_NAME_MAX 200
bool service_name_is_valid(const char *name);

/* The service's name in the source of a mount of ours; "" where there is none. Borrowed. */
const char *service_of_source(const char *source);

/* One namespace, and the first process that was found in it. */
struct service {
	char *name;
	pid_t pid;
	int namespace;	 /* held, or a negative errno: it is not to be touched, */
	const char *why; /* because of this, static, or NULL */
	dev_t device;	 /* of the namespace */
	ino_t inode;
};

struct services {
	struct service *items;
	size_t n;
};

/*
 * All that can be seen, by name; processes that end or go elsewhere meanwhile are passed over. What becomes of a process
 * later does not matter, as its namespace is held. 0 or a negative errno.
 */
int services_find(struct services *ret);
void services_done(struct services *s);

/*
 * Opens the mount namespace of the process, which sees a tree of the service `name`; with `may_be_first`, it may see none
 * of any service. That all of this is true of one and the same process, whatever becomes of its number, is made sure by
 * its pidfd (Linux 5.3). An fd of the caller's; or a negative errno, and *ret_why may be a static sentence on what
 * the namespace is that we do not touch (service.6): -EINVAL; -ESTALE: it is not a process of that service. -ESRCH: there
 * is no such process.
 */
int service_open(pid_t pid, const char *name, bool may_be_first, const char **ret_why);

/* The service whose tree the process sees, owned by the caller; NULL with 0 where there is none. */
int service_read_name(pid_t pid, char **ret);

/* The record of the tree that the process sees at the hierarchy, owned by the caller. -ENODATA where there is none. */
int service_read_record(pid_t pid, const char *hierarchy, struct record **ret);

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
	dev_t device; /* of the namespace */
	ino_t inode;
};

struct services {
	struct service *items;
	size_t n;
};

/* All that can be seen, by name; processes that end meanwhile are passed over. 0 or a negative errno. */
int services_find(struct services *ret);
void services_done(struct services *s);

/* A process' mount namespace, held. All fds are the caller's. */
struct service_place {
	int pidfd, namespace, root;
};

#define SERVICE_PLACE_NONE \
	{ .pidfd = -EBADF, .namespace = -EBADF, .root = -EBADF }

/*
 * Opens the namespace of the process. That all three fds are of one and the same process, whatever becomes of its number,
 * is made sure by its pidfd (Linux 5.3). 0; or a negative errno, and *ret_why may be a static sentence on what
 * the namespace is that we do not touch (service.6): -EINVAL. -ESRCH: there is no such process.
 */
int service_open(pid_t pid, struct service_place *ret, const char **ret_why);
void service_close(struct service_place *p);

/* The service whose tree the process sees, owned by the caller; NULL with 0 where there is none. */
int service_read_name(pid_t pid, char **ret);

/* The record of the tree that the process sees at the hierarchy, owned by the caller. -ENODATA where there is none. */
int service_read_record(pid_t pid, const char *hierarchy, struct record **ret);

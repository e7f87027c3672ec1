/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The mount table of this namespace, as questions of ours. The only user of libmount. */
#pragma once

#include "base.h"

struct mounts;

/* One mount. Texts are borrowed from the table. */
struct mount_info {
	int id, parent;
	const char *target, *source, *fstype;
	bool is_users; /* FUSE: another user's, who may have chosen source and type */
};

/* Reads the table; and that of a process, as its root shows it. The caller owns *ret. */
int mounts_read(struct mounts **ret);
int mounts_read_of(pid_t pid, struct mounts **ret);
void mounts_free(struct mounts *m);
DEFINE_CLEANUP(struct mounts, mounts_free)

/* The mount with this id; false where there is none. */
bool mounts_find(const struct mounts *m, int id, struct mount_info *ret);

/* Calls `f` for each mount, in the table's order, until it returns other than 0; returns that. */
int mounts_each(const struct mounts *m, int (*f)(const struct mount_info *i, void *data),
		void *data);

/* The id of the mount that `fd` is on, as the table names it. Negative errno otherwise. */
int mount_id(int fd);

/* The same as a number that is never used again (Linux 6.8), 0 where the kernel has none. */
uint64_t mount_unique_id(int fd);

/* 1 if `fd` is the root of its mount, 0 if it is not, or a negative errno. */
int mount_is_root(int fd);

/*
 * Makes the mount whose root `fd` is read-only, or writable again; not what is mounted below it. -EBUSY while a file is
 * open for writing by it, or something is just being written.
 */
int mount_set_read_only(int fd, bool is_read_only);

/*
 * The same for the file system that `fd` is on: in every mount of it, in all namespaces and in none. It writes out what the
 * file system has to. -EBUSY also while a file that was removed is still in use.
 */
int mount_set_all_read_only(int fd, bool is_read_only);

/* 1 if nobody can write by the mount that `fd` is on, 0 if that is not so, or a negative errno. */
int mount_is_read_only(int fd);

/*
 * Nothing propagates any more into the mount that `fd` is on, nor out of it; mounts on it keep what they have. 0 or a
 * negative errno.
 */
int mount_make_private(int fd);

/*
 * Detaches the mount whose root `fd` is, which must have no mount on that root: otherwise the uppermost of those goes. The
 * working directory is changed on the way and set back to `directory`.
 */
int mount_detach(int fd, int directory);

/*
 * A detached copy of the mount that `fd` is on, from there, with all mounts below. Nothing propagates between the two: if
 * one goes, the other keeps what is mounted on it. The caller owns the fd; or a negative errno.
 */
int mount_clone(int fd);

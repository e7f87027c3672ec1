/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A read-only union of directory trees, by overlayfs' rules, as numbered nodes: the root is 1. Knows nothing of FUSE. */
#pragma once

#include <sys/stat.h>
#include <sys/statvfs.h>

#include "whiteout.h"

struct union_tree;

/*
 * The union of the directories `fds` (O_PATH, top first, borrowed), which must not change. 0 with *ret, which the
 * caller owns, or as layers_init(). All of what follows is for any number of threads, of which each must have a
 * working directory of its own (unshare(CLONE_FS)): it is changed.
 */
int union_new(const int *fds, unsigned n, enum whiteout_space space,
	      struct union_tree **ret);
void union_free(struct union_tree *u);
DEFINE_CLEANUP(struct union_tree, union_free)

/* Whether any layer can have extended attributes, or access control lists. */
bool union_has_xattrs(const struct union_tree *u);
bool union_has_acls(const struct union_tree *u);

/* How many file systems lie upon each other where a file is read through the union: 1, or 2 where that can be. */
unsigned union_depth(const struct union_tree *u);

/*
 * The node of an entry, and its attributes, with st_ino as in every other place (specs: union.10, union.11). The
 * node is valid until union_forget() was called as often as this succeeded. 0; -ENOENT; -EPERM for what is never
 * given out (specs: union.8); -ELOOP where layers overlap; another negative errno of the layer.
 */
int union_lookup(struct union_tree *u, uint64_t directory, const char *name,
		 uint64_t *ret_node, struct stat *ret);

/* Whether that was the last time. */
bool union_forget(struct union_tree *u, uint64_t node, uint64_t times);

int union_stat(struct union_tree *u, uint64_t node, struct stat *ret);

/* The time of birth, where the layer has one and stx_mask says so afterwards, which is zero before (specs: union.25). */
void union_birth(struct union_tree *u, uint64_t node, struct statx *ret);

/* The target of a symlink, with NUL. 0, or a negative errno: -ENAMETOOLONG where it does not fit. */
int union_readlink(struct union_tree *u, uint64_t node, char *target, size_t size);

/* One entry of a listing; `node` is 0 where it was not looked up. Borrowed, valid during the call. */
struct union_listed {
	const char *name;
	uint64_t node, next; /* `next` is where to continue behind it */
	struct stat st;	     /* st_ino and the type; all where it was looked up */
};

/*
 * Calls `take` for the entries from `position`, which is 0 or a `next`, until it returns false: that entry was not
 * taken. With `look_up`, each is looked up as by union_lookup(), where that works, and those that were taken need
 * union_forget(). "." and ".." come first and are not looked up. 0 or a negative errno.
 */
int union_list(struct union_tree *u, uint64_t directory, uint64_t position, bool look_up,
	       bool (*take)(const struct union_listed *l, void *data), void *data);

/*
 * An fd of a regular file, open for reading. It stays open until union_close(). -EPERM for a file whose data are
 * elsewhere (specs: union.8).
 */
struct union_file {
	uint64_t node;
	int fd;
	bool is_ours; /* of the caller, not of a cache */
};
int union_open(struct union_tree *u, uint64_t node, struct union_file *ret);
void union_close(struct union_tree *u, struct union_file *f);

/* Extended attributes, as getxattr(2) and listxattr(2) give them for the union (specs: union.9). */
ssize_t union_getxattr(struct union_tree *u, uint64_t node, const char *name, void *value,
		       size_t size);
ssize_t union_listxattr(struct union_tree *u, uint64_t node, char *list, size_t size);

/* The st_ino that inode `number` of the file system `device` has here (specs: union.11). As inode_number(). */
int union_number(struct union_tree *u, dev_t device, ino_t number, uint64_t *ret);

/* What the file system of the top layer says of itself. 0 or a negative errno. */
int union_statfs(struct union_tree *u, struct statvfs *ret);

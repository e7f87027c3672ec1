/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The layers of a union, held as fds; everything in them is reached from these, one name at a time. */
#pragma once

#include "inode.h"
#include "whiteout.h"

#define LAYERS_MAX 500 /* as many as overlayfs takes */

struct layer {
	int fd;	      /* O_PATH, of its root; borrowed */
	dev_t device; /* of its root */
	ino_t root;
	bool stat_all; /* the numbers and devices of its entries are not what a listing says */
	bool stat_directories; /* likewise of directories: btrfs has subvolumes */
	bool has_xattrs;
};

struct layers {
	struct layer *list; /* top first */
	unsigned n;
	enum whiteout_space space;
	struct inode_devices devices;
	bool have_xattrs, have_acls; /* whether any of them can have */
	bool are_stacked; /* whether any of them may lie on another file system */
};

/*
 * Looks at the roots of `n` layers. 0; -EINVAL for less than one or more than LAYERS_MAX, -ENOTDIR where one is no
 * directory, -ELOOP where one is there twice, or another negative errno. End it with layers_done() in any case.
 */
int layers_init(struct layers *l, const int *fds, unsigned n, enum whiteout_space space);
void layers_done(struct layers *l);

/* Whether this directory is the root of a layer: the layers overlap (specs: union.7). */
bool layers_is_root(const struct layers *l, const struct stat *st);

/* Opens a path of the layer itself, never through a symlink or to another mount. As openat2(2). */
int layers_open(int directory, const char *path, int flags);

/*
 * The extended attribute of an entry of a directory, "." for itself. Its length, -ENODATA where there is none, or
 * another negative errno. Changes the thread's working directory, which must be the thread's own.
 */
ssize_t layers_xattr(int directory, const char *name, const char *attribute, void *value,
		     size_t size);

/* The names of all of them, as llistxattr(2). */
ssize_t layers_list_xattrs(int directory, const char *name, char *list, size_t size);

/* Where the link leads, with a NUL behind it: 0, -ENAMETOOLONG where that is more than `size` bytes, or another negative errno. */
int layers_readlink(int directory, const char *name, char *target, size_t size);

/* Whether the error says that somebody has taken a directory out of the layer since that was looked at (specs: union.20). */
bool layers_is_gone(int error);

/* What the opaque mark of a directory says; or a negative errno. */
int layers_opaque(const struct layers *l, const struct layer *layer, int directory,
		  const char *name);

/* 1 if the entry has the mark, 0 if not, or a negative errno. */
int layers_has_mark(const struct layers *l, const struct layer *layer, int directory,
		    const char *name, enum whiteout_mark mark);

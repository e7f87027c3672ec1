/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A union of layers with a directory above it that is written to, by overlayfs' rules, as nodes. Knows nothing of FUSE. */
#pragma once

#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>

#include "dirindex.h"
#include "union.h"

struct overlay;

/*
 * The directory `upper` above the union of `fds` (all O_PATH, top first, borrowed), with the work directory `work` on
 * the same mount. Only this may change any of them. 0 with *ret, which the caller owns; or a negative errno and, in
 * *ret_why, a static sentence (specs: overlay.2). The functions that follow are for any number of threads, of which each must have a working directory and a umask of its own (unshare(CLONE_FS)).
 */
int overlay_new(const int *fds, unsigned n, enum whiteout_space space, int upper,
		int work, struct overlay **ret, const char **ret_why);
void overlay_free(struct overlay *o);
DEFINE_CLEANUP(struct overlay, overlay_free)

/*
 * `changed` is told of nodes whose attributes, and, with `listing`, whose entries' numbers, are no longer what was said
 * of them, though nobody asked for a change.
 */
void overlay_watch(struct overlay *o,
		   void (*changed)(uint64_t node, bool listing, void *data), void *data);

bool overlay_has_acls(const struct overlay *o);

/* --- looking --- */

/* As union_lookup(), union_forget(), union_stat(), union_birth(), union_readlink(), union_getxattr(), union_listxattr(). */
int overlay_lookup(struct overlay *o, uint64_t directory, const char *name,
		   uint64_t *ret_node, struct stat *ret);
void overlay_forget(struct overlay *o, uint64_t node, uint64_t times);
int overlay_stat(struct overlay *o, uint64_t node, struct stat *ret);
void overlay_birth(struct overlay *o, uint64_t node, struct statx *ret);
int overlay_readlink(struct overlay *o, uint64_t node, char *target, size_t size);
ssize_t overlay_getxattr(struct overlay *o, uint64_t node, const char *name, void *value,
			 size_t size);
ssize_t overlay_listxattr(struct overlay *o, uint64_t node, char *list, size_t size);

/* The entries of a directory as they are now, "." and ".." first; the caller owns *ret. 0 or a negative errno. */
int overlay_list(struct overlay *o, uint64_t directory, struct dirindex **ret);

/* What the file system of the upper directory says of itself. */
int overlay_statfs(struct overlay *o, struct statvfs *ret);

/* --- changing: all of them return 0 or a negative errno of the upper directory's file system --- */

/* Who asks. The kernel has checked that they may. */
struct overlay_caller {
	uid_t uid;
	gid_t gid;
	mode_t umask;
};

/* What is to become of an entry. */
struct overlay_making {
	mode_t mode; /* with the type */
	dev_t rdev;
	const char *target; /* of a symlink */
	bool opened;	    /* of a regular file: as if by overlay_open() */
};

/* Makes a new entry: -EEXIST, and -EPERM for what would be a whiteout. Gives out the node as overlay_lookup() does. */
int overlay_make(struct overlay *o, uint64_t directory, const char *name,
		 const struct overlay_making *m, const struct overlay_caller *by,
		 uint64_t *ret_node, struct stat *ret);

/* Makes a regular file without a name, which is open. Gives out the node as overlay_lookup() does. */
int overlay_make_nameless(struct overlay *o, uint64_t directory, mode_t mode,
			  const struct overlay_caller *by, uint64_t *ret_node,
			  struct stat *ret);

/* Gives a file another name. The node is given out once more. */
int overlay_link(struct overlay *o, uint64_t node, uint64_t directory, const char *name,
		 struct stat *ret);

/* Removes an entry; with `directory`, one that is empty. */
int overlay_remove(struct overlay *o, uint64_t parent, const char *name, bool directory);

/* As renameat2(2): -EXDEV for a directory of which layers below have a part, -EINVAL for RENAME_WHITEOUT (specs: overlay.8). */
int overlay_rename(struct overlay *o, uint64_t from, const char *name, uint64_t to,
		   const char *new_name, unsigned flags);

/* What is to be changed of a node. `times` has UTIME_OMIT for what is not. */
struct overlay_change {
	bool set_mode, set_size;
	mode_t mode;
	uid_t uid; /* -1: not */
	gid_t gid;
	off_t size;
	const struct overlay_caller *kills; /* NULL; or whom overlay_kill_suid() is for */
	struct timespec times[2];	    /* of access, of modification */
};
int overlay_change(struct overlay *o, uint64_t node, const struct overlay_change *c,
		   struct stat *ret);

/* As setxattr(2), and removexattr(2) where `value` is NULL. */
int overlay_setxattr(struct overlay *o, uint64_t node, const char *name, const void *value,
		     size_t size, int flags, const struct overlay_caller *by);

/* --- data --- */

/* Says that the kernel has opened a regular file with these flags: O_ACCMODE, O_TRUNC; and that it has closed it. */
int overlay_open(struct overlay *o, uint64_t node, int flags,
		 const struct overlay_caller *kills);
void overlay_close(struct overlay *o, uint64_t node);

/*
 * An fd of a regular file, to be used until overlay_data_end(): for reading, and, where the kernel has opened it for writing, for that.
 */
struct overlay_data {
	int fd;
	bool is_ours;
	struct union_file lower;
};
int overlay_data(struct overlay *o, uint64_t node, struct overlay_data *ret);
void overlay_data_end(struct overlay *o, struct overlay_data *d);

/*
 * What writing takes away from a file when somebody does it who may not keep it: set-user-id, and set-group-id where
 * the group may execute it, or is not the caller's (specs: overlay.11). 1 if there was something to take, 0, or a negative errno.
 */
int overlay_kill_suid(int fd, const struct overlay_caller *by);

/* Sees to it that a directory's entries are on the disk. */
int overlay_sync_directory(struct overlay *o, uint64_t node);

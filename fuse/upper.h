/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The upper directory of a writable union, and the work directory in which what becomes part of it is made. */
#pragma once

#include <sys/stat.h>

#include "whiteout.h"

#define UPPER_NAME_MAX 32

struct upper {
	int fd;	  /* O_PATH, of the upper directory; borrowed */
	int work; /* of the directory "work" of the work directory, locked; owned */
	dev_t device;
	enum whiteout_space space;
	bool has_acls;
	uint64_t serial; /* of names in `work` */
};

/*
 * Takes both into use: makes "work" in the work directory `work`, empties it of what a server that was killed has left
 * there, and tries what is needed (specs: overlay.2). 0; or a negative errno and a static sentence: -EBUSY where
 * another server uses them. End it with upper_end() in any case.
 */
int upper_init(struct upper *u, int fd, int work, enum whiteout_space space,
	       const char **ret_why);
void upper_end(struct upper *u);

/* A name that is free in `work`. */
void upper_new_name(struct upper *u, char ret[static UPPER_NAME_MAX]);

/* Removes a file of `work`, or a directory that has nothing in it but whiteouts. What fails is left to the next start. */
void upper_discard(struct upper *u, const char *name);

/* 1 if this entry of an upper directory, with these attributes, is a whiteout, 0 if not, or a negative errno. */
int upper_is_whiteout(const struct upper *u, int directory, const char *name,
		      const struct stat *st);

/* 1 if the entry has the mark, 0 if not, or a negative errno. upper_opaque() is as layers_opaque(). */
int upper_has_mark(const struct upper *u, int directory, const char *name,
		   enum whiteout_mark mark);
int upper_opaque(const struct upper *u, int directory, const char *name);

/* Marks a directory as hiding what layers below have in it. 0 or a negative errno. */
int upper_set_opaque(const struct upper *u, int directory, const char *name);

/*
 * Puts a whiteout where an entry may be, in one step: the entry is gone and nothing below it is seen. 0 or a
 * negative errno.
 */
int upper_whiteout(struct upper *u, int directory, const char *name, bool is_there,
		   bool is_directory);

/*
 * Moves what was made in `work` to a name of an upper directory, where nothing is or, with `over_whiteout`, a
 * whiteout, in one step. 0 or a negative errno.
 */
int upper_publish(struct upper *u, const char *made, int directory, const char *name,
		  bool over_whiteout);

/* Takes all whiteouts out of an upper directory, which must hold nothing else. 0, -ENOTEMPTY; another negative errno. */
int upper_clear(struct upper *u, int directory, const char *name);

/* As renameat2(2), with a negative errno. */
int upper_rename(int from, const char *name, int to, const char *new_name, unsigned flags);

/* Opens an entry; never a symlink. As openat(2), with a negative errno. */
int upper_open(int directory, const char *name, int flags);

/* As lsetxattr(2) and lremovexattr(2) of an entry; changes the thread's working directory. 0 or a negative errno. */
int upper_set_xattr(int directory, const char *name, const char *attribute,
		    const void *value, size_t size, int flags);
int upper_remove_xattr(int directory, const char *name, const char *attribute);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A file that is made aside, without a name, and then appears whole under its own, or never (specs: pack.15). */
#pragma once

#include "base.h"

struct newfile {
	int directory, fd; /* the file is open for reading and writing */
	char *name;	   /* the last part of the path */
	char *temporary; /* its name meanwhile, where the file system knows no nameless files; or NULL */
};

#define NEWFILE_NONE \
	{ .directory = -EBADF, .fd = -EBADF }

/*
 * A new, empty file on the file system of `path`. 0 with *ret, to be ended by newfile_done(), which takes away what
 * was not published; a negative errno, among them -EISDIR for a path that ends in a slash.
 */
int newfile_open(const char *path, struct newfile *ret);

/*
 * Gives the file its name once it is on the disk. -EEXIST where the name is taken, unless `overwrite`: then it
 * replaces what is there in one step. 0 or a negative errno.
 */
int newfile_publish(struct newfile *f, bool overwrite);

void newfile_done(struct newfile *f);

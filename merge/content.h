/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a directory holds that is to become an image: would a merge of that image take it? (specs: pack.2 to pack.5) */
#pragma once

#include "extension.h"
#include "strv.h"

struct content {
	struct extension *
		extension; /* with the name of the image; its verdict says what is wrong */
	int directory;	   /* open for reading */
	int64_t newest;	   /* the latest time of modification in it, seconds */
	char **unseen; /* what is directly in it, but in no hierarchy of the class (strv, sorted) */
};

#define CONTENT_NONE \
	{ .directory = -EBADF }

/*
 * The class of an image called `entry`: by its suffix; else `wished`, unless NULL; else the class for which alone
 * there are release files in the directory `fd`. NULL where both or none have some.
 */
const struct class *content_class(const char *entry, const struct class *wished, int fd);

/*
 * Examines the directory `path`, which `fd` is, as a merge would examine an image called `entry`, on a host that
 * has nothing. What is wrong becomes the verdict. 0 with *ret, to be ended by content_done(), or a negative errno.
 */
int content_examine(const char *path, int fd, const char *entry,
		    const struct class *class, struct content *ret);

void content_done(struct content *c);

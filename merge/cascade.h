/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Files that lie in several directories, of which the best one that has a name counts for it (UAPI.6, Storage
 * Directories and Masking): what decides, by root's hand, what is done.
 */
#pragma once

#include <sys/stat.h>

#include "base.h"

#define CASCADE_ENTRIES_MAX 1024 /* of one directory */

/* One name, in the best directory that has it. */
struct cascade_file {
	char *path; /* below the root, with one '/' in front; of a directory that cannot be used, its own */
	int fd; /* O_PATH of a regular file that may be used; otherwise -EBADF, and */
	bool is_mask;	/* there is an empty file, or a link to /dev/null, */
	char *why;	/* or a reason why it cannot be used, the end of a sentence, */
	int error;	/* which came of this error, or 0 */
	struct stat st; /* of what is there, links resolved; zero where that is not known */
};

struct cascade {
	struct cascade_file *items;
	size_t n;
};

/*
 * The file `name` of `directories` (relative to `root`, best first, ending with NULL): one item, or none where no
 * directory has it. What lies there counts, whatever it is; a link is resolved below `root`. A file, and the
 * directory that it lies in, must not be writable by everybody, and must belong to root or to the user who
 * runs the program. 0 with *ret; or a negative errno that is no fault of the files: memory, fds.
 */
int cascade_find(int root, const char *const *directories, const char *name,
		 struct cascade *ret);

/*
 * The same for all names in them that end with `suffix` and do not start with a dot, sorted by bytes. A directory that
 * cannot be used is an item as well, in front.
 */
int cascade_list(int root, const char *const *directories, const char *suffix,
		 struct cascade *ret);

void cascade_done(struct cascade *c);

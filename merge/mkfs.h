/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Making a file system of a directory, by the programs that do that: mkfs.erofs and mksquashfs (specs: pack.6). */
#pragma once

#include "fstype.h"

struct mkfs_request {
	int directory; /* its contents become the root of the file system */
	int file;     /* an empty file; what is written into it has no holes at the end */
	int64_t time; /* of the superblock, seconds since 1970 */
	bool fix_times;	  /* also of all files */
	bool all_root;	  /* all files become root's */
	const char *uuid; /* of an erofs */
};

/* FSTYPE_EROFS or FSTYPE_SQUASHFS by name; FSTYPE_NONE for all others. */
enum fstype mkfs_format_from(const char *name);

/* The program that is needed, and the package of Debian that has it. Static. */
const char *mkfs_program(enum fstype format);
const char *mkfs_package(enum fstype format);

/* Whether the program is there. */
bool mkfs_is_there(enum fstype format);

/*
 * Runs the program, which is looked for in fixed places and gets no shell. 0; -ENOENT where it is not there; -EIO where it
 * failed: then *ret_said (owned by the caller, may be NULL) is the last of what it said; or another negative errno.
 */
int mkfs_run(enum fstype format, const struct mkfs_request *m, char **ret_said);

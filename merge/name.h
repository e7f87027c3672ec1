/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The parts of an image's file name: NAME[_VERSION[_ARCH]][+LEFT[-DONE]][.CLASS][.raw]. Pure. */
#pragma once

#include <stdbool.h>

#include "base.h"

#define NAME_TRIES_NONE (-1) /* no boot counter in the name */

/* Everything is owned by the struct. */
struct name {
	char *full; /* the file name without suffixes: what extension-release.<IMAGE> means */
	char *name; /* the extension's name, without version, architecture and counters */
	char *version;	    /* or NULL */
	char *architecture; /* a name of architecture.h, or NULL */
	int left, done;	    /* boot counters, or NAME_TRIES_NONE */
};

/* What kind of directory entry the name belongs to. */
enum name_kind {
	NAME_FILE,	       /* an image file: must end in .raw */
	NAME_DIRECTORY,	       /* a directory tree, used as it is */
	NAME_PICK_FILES,       /* NAME.raw.v/, a directory of versions of one image */
	NAME_PICK_DIRECTORIES, /* NAME.v/, a directory of versions of one tree */
};

/*
 * Splits the file name `entry` of an extension of the class with suffix `class_suffix`
 * (".sysext" or ".confext", which is optional in the name and stripped). `kind` says what the
 * entry is. The version starts at the first '_' that is followed by a digit; the architecture is
 * the text behind the version's last '_' if it names one (a name without version has none);
 * "+LEFT[-DONE]" at the end is a counter if each number has 1 to 9 digits, otherwise it is part
 * of the text before it (specs: discover.*).
 *
 * 0, or -ENOENT for an entry that is none of ours and needs no verdict: one without the suffix of
 * its kind, or with the suffix of the other class; or -EINVAL for one that is ours, but is not
 * allowed (*ret_why, a static sentence, says why): empty, over 255 bytes, starting with a dot
 * (thus ".", ".." and ".v"), with '/', control characters or invalid UTF-8, with nothing before
 * the version or counter, with a version that is no version, and a directory of versions that
 * has a version or counter itself; or -ENOMEM. `ret` is written on success only, *ret_why
 * for -EINVAL only. The caller ends *ret with name_done().
 */
int name_parse(const char *entry, enum name_kind kind, const char *class_suffix,
	       struct name *ret, const char **ret_why);

/*
 * Orders two versions of one image, the better one greater (specs: discover.pick): tries left
 * before none left; newer version; architecture equal to `native`, then to `secondary` (may be
 * NULL), then none; more tries left, no counter being more than any; fewer done; greater `full`.
 * 0 only for the same `full`, as a file and a directory can have (specs: discover.tie).
 * Entries of a foreign architecture must be left out by the caller.
 */
int name_compare_pick(const struct name *a, const struct name *b, const char *native,
		      const char *secondary);

/* Whether a name or path from outside is valid UTF-8 without control characters. */
bool name_is_printable(const char *text);

void name_done(struct name *n);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The marks of overlayfs in a layer: whiteouts, opaque directories, redirects, and how they are hidden. Pure. */
#pragma once

#include <sys/stat.h>

#include "../merge/base.h"

/* Where a layer's marks are: "trusted.overlay.", or "user.overlay." (overlayfs' option userxattr). */
enum whiteout_space { WHITEOUT_TRUSTED, WHITEOUT_USER };

enum whiteout_mark {
	WHITEOUT_MARK_OPAQUE,
	WHITEOUT_MARK_WHITEOUT,
	WHITEOUT_MARK_REDIRECT,
	WHITEOUT_MARK_METACOPY,
};

/* The extended attribute that carries the mark. Static. */
const char *whiteout_xattr(enum whiteout_space space, enum whiteout_mark mark);

/* A character device 0/0 (specs: union.4). */
bool whiteout_is_device(const struct stat *st);

/* What the value of the opaque mark says about a directory (specs: union.5, union.6). */
enum whiteout_opaque { WHITEOUT_MERGES, WHITEOUT_HIDES, WHITEOUT_HAS_WHITEOUTS };
enum whiteout_opaque whiteout_opaque(const char *value, size_t len);

#define WHITEOUT_NAME_MAX 256 /* XATTR_NAME_MAX and NUL */

/*
 * The attribute of the layer that stands for attribute `name` of the union: itself, or, for a mark that is only
 * escaped in the layer ("trusted.overlay.overlay.opaque" for "trusted.overlay.opaque"), the escaped one, written to
 * `buffer`. NULL where that would be too long (specs: union.9).
 */
const char *whiteout_to_layer(enum whiteout_space space, const char *name,
			      char buffer[static WHITEOUT_NAME_MAX]);

/*
 * Turns a list of names as listxattr(2) gives them into that of the union, in place: marks are left out, escaped
 * ones lose their escape. Returns the new length (specs: union.9).
 */
size_t whiteout_filter_list(enum whiteout_space space, char *list, size_t len);

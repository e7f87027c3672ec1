/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The options of a union, in overlayfs' words and with its escapes. Pure. */
#pragma once

#include "union-io.h"
#include "whiteout.h"

#define MOUNTOPTS_WHY_MAX 256
#define MOUNTOPTS_GRAFTS_MAX 16

struct mountopts {
	char **layers;	    /* strv: the paths, top first */
	char *upper, *work; /* NULL: none; both or neither, once all options were read */
	enum whiteout_space space;
	enum union_io io;
	unsigned grafts;     /* at most MOUNTOPTS_GRAFTS_MAX */
	uint64_t attributes; /* MOUNT_ATTR_* of the mount */
	bool remount; /* the mount is there and gets these attributes; the layers do not count */
};

void mountopts_done(struct mountopts *o);

/*
 * Adds what "-o `text`" says (specs: union.1). 0; -EINVAL with a sentence in `ret_why`, or -ENOMEM. *o is zero at
 * first, and is ended by mountopts_done() in any case.
 */
int mountopts_parse(const char *text, struct mountopts *o,
		    char ret_why[static MOUNTOPTS_WHY_MAX]);

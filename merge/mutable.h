/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What may be written in a merged hierarchy, and where the host's own files lie in it. Pure (specs: mutable.1, mutable.20). */
#pragma once

#include "base.h"

enum mutable_mode {
	MUTABLE_NO,
	MUTABLE_AUTO,	   /* where there is a directory for it */
	MUTABLE_YES,	   /* the directory is made where it is missing */
	MUTABLE_IMPORT,	   /* read-only, the directory is a layer */
	MUTABLE_EPHEMERAL, /* what is written is gone with the tree */
	MUTABLE_EPHEMERAL_IMPORT,
};

/* The word of Mutable= and --mutable, or -EINVAL; and back. */
int mutable_mode_from(const char *text, enum mutable_mode *ret);
const char *mutable_mode_text(enum mutable_mode m);

/* Whether the mode writes into the directory, takes it as a layer, or writes into memory. */
bool mutable_keeps(enum mutable_mode m);
bool mutable_imports(enum mutable_mode m);
bool mutable_forgets(enum mutable_mode m);

enum base_place { BASE_BOTTOM, BASE_TOP };

/* The word of Base= and --base, or -EINVAL; and back. */
int base_place_from(const char *text, enum base_place *ret);
const char *base_place_text(enum base_place p);

/*
 * Whether the text is a size of a file system in memory: digits, then K, M, G or T for as many KiB and so on, or
 * % for a part of the machine's memory (1% to 100%). Not zero.
 */
bool mutable_is_size(const char *text);
#define MUTABLE_SIZE_MAX 24
#define MUTABLE_SIZE_DEFAULT "10%"

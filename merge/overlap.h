/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the layers below have at a path: an index of names, filled from the bottom upwards. Pure. */
#pragma once

#include "base.h"

#define OVERLAP_NODES_MAX (4u * 1024 * 1024) /* over all layers of one hierarchy */
#define OVERLAP_ROOT 0u

enum overlap_type {
	OVERLAP_ABSENT,
	OVERLAP_DIRECTORY,
	OVERLAP_SYMLINK,
	OVERLAP_OTHER, /* a file or anything else that is no directory and no symlink */
};

struct overlap;

struct overlap_node {
	enum overlap_type type;
	unsigned layer; /* the uppermost layer that has it */
};

/* 0 with an index that holds the root directory, owned by the caller; or -ENOMEM. */
int overlap_new(struct overlap **ret);

/* The number of the entry `name` in the directory with the number `parent`, or -ENOENT. */
int64_t overlap_find(const struct overlap *o, uint32_t parent, const char *name,
		     struct overlap_node *ret);

/*
 * Enters or replaces what `layer` has at `name` below `parent`. Returns its number, -ENOMEM, or
 * -EOVERFLOW at OVERLAP_NODES_MAX.
 */
int64_t overlap_put(struct overlap *o, uint32_t parent, const char *name,
		    enum overlap_type type, unsigned layer);

/*
 * A layer is judged while it is entered, and may be refused in the middle: revert() takes back all
 * puts since the last commit().
 */
void overlap_commit(struct overlap *o);
void overlap_revert(struct overlap *o);

/* What a layer's entry does to what lies under it. */
enum overlap_effect {
	OVERLAP_ADDS,  /* nothing was there, or a directory is merged with a directory */
	OVERLAP_HIDES, /* a file or symlink takes the place of another */
	OVERLAP_CONFLICTS, /* a directory would stop being one, or something would become one */
};

/*
 * Judges `above` over `below` (specs: layer.3). A file over a symlink to a directory takes that
 * directory away as well: the caller passes OVERLAP_DIRECTORY for such a symlink then.
 */
enum overlap_effect overlap_judge(enum overlap_type above, enum overlap_type below);

void overlap_free(struct overlap *o);
DEFINE_CLEANUP(struct overlap, overlap_free)

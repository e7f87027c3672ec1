/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where a node of a union is, and what is known of it there. */
#pragma once

#include "directories.h"

#define PLACE_ROOT ((uint64_t)1) /* the node of the root */

/* Where places are looked for. */
struct places {
	struct layers *layers;
	struct directories *directories;
};

/* An entry of a directory, or the root, which has neither. */
struct place {
	struct directory *parent;
	struct dirindex_entry *entry;
};

/* The node of an entry: its directory's number and its own, so that no table is needed. Never PLACE_ROOT. */
uint64_t place_node(const struct directory *parent, uint32_t entry);

/* 0, or -ESTALE for a node that is none. */
int place_find(struct places *at, uint64_t node, struct place *ret);

/* An fd, borrowed as that of directories_fd(), and a name below it, by which the thing is reached. */
int place_reach(struct places *at, const struct place *p, const char **ret_name);

/* The attributes (specs: union.11, union.12). 0, -EIO where it is no longer of its type, or another negative errno. */
int place_stat(struct places *at, const struct place *p, struct stat *ret);

/*
 * The same, for an entry that somebody asks for: what a listing does not tell is looked at, once. Also -ENOENT for a
 * whiteout, -EPERM for what is not given out, -ELOOP for a layer (specs: union.6 to union.8).
 */
int place_examine(struct places *at, const struct place *p, struct stat *ret);

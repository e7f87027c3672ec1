/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What was written in a merged hierarchy: its upper layer, compared with the layers below it (specs: written.1 to
 * written.3).
 */
#pragma once

#include <sys/stat.h>

#include "layer.h"

enum written_kind { WRITTEN_ADDED, WRITTEN_CHANGED, WRITTEN_REMOVED };

/* In what a change differs from what lies below, as bits. */
enum written_what {
	WRITTEN_TYPE = 1,
	WRITTEN_CONTENT = 2,
	WRITTEN_MODE = 4,
	WRITTEN_OWNER = 8,
	WRITTEN_ATTRIBUTES = 16, /* extended ones */
};
#define WRITTEN_WHATS 5

/* One change. Borrowed, valid during the call. */
struct written_change {
	enum written_kind kind;
	const char *path; /* below the hierarchy */
	struct stat st; /* of what was written; of what is removed: of what lies below */
	unsigned what;	/* of a change: enum written_what */
	bool is_opaque; /* a directory that hides all that lies below it */
	const struct stat *below; /* what lies below, or NULL */
	const struct extension
		*own; /* whose that is; NULL for the host's, and for what is imported */
	bool is_imported; /* it is of what is imported */
};

/*
 * Calls `f` for each change in the upper layer `upper` (any fd of its directory) of the hierarchy, whose layers are
 * those of `h`, in the order of the paths' bytes, directories before their contents. What was copied there, but is as it
 * is below, is no change. TREE_SKIP leaves out a directory's contents. 0, what `f` returned, or as tree_walk().
 */
int written_walk(const struct hierarchy *h, int upper,
		 int (*f)(const struct written_change *c, void *data), void *data);

/* Paths in the upper layer that stay there when the rest of it has become an extension, and why (specs: written.9). */
struct written_left {
	struct written_left_item {
		char *path;
		const char *why; /* static */
		bool is_whole;	 /* with all that is in it */
	} * items;
	size_t n;
};

/* 0 or -ENOMEM. */
int written_leave(struct written_left *l, const char *path, const char *why,
		  bool is_whole);
void written_left_done(struct written_left *l);

/* Why an extension of the class cannot carry the change in the hierarchy; NULL where it can. */
const char *written_refuse(const struct written_change *c, const struct hierarchy *h);

/* "added", "changed", "removed"; "file", "directory", "symlink", ...; "content", "mode", ...: static. */
const char *written_kind_word(enum written_kind k);
const char *written_type_word(mode_t mode);
const char *written_what_word(enum written_what w);

/* Whether an extended attribute is a mark of overlayfs in a layer, which is no attribute of the file. */
bool written_is_mark(const char *attribute);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The merged index of one directory: each name once, with the layers that have it. Pure. */
#pragma once

#include "../merge/base.h"

#define DIRINDEX_NONE UINT32_MAX
#define DIRINDEX_NAME_MAX 255

enum dirindex_flags {
	DIRINDEX_WHITEOUT = 1, /* hides what is below, and is not there itself */
	DIRINDEX_CLOSED = 2,   /* nothing of lower layers may be added */
	DIRINDEX_REFUSED = 4,  /* is not given out: EPERM */
	DIRINDEX_CHECKED = 8,  /* its marks have been looked at */
};

struct dirindex_entry {
	uint64_t inode;		     /* in the union */
	uint32_t name;		     /* offset in the names */
	uint32_t more;		     /* first of further layers, DIRINDEX_NONE */
	uint32_t directory;	     /* for its owner's use; 0 at the beginning */
	uint32_t users;		     /* likewise */
	uint16_t layer;		     /* the uppermost that has it */
	uint8_t length, type, flags; /* of the name; DT_*; enum dirindex_flags */
};

/* A further layer of a directory that is in several. */
struct dirindex_more {
	uint32_t next; /* DIRINDEX_NONE */
	uint16_t layer;
};

/* All of it is one block of memory. */
struct dirindex {
	uint32_t n, mask;
	size_t size; /* bytes of the block */
	struct dirindex_entry *entries;
	struct dirindex_more *more;
	uint32_t *slots; /* mask + 1 of them: number of an entry + 1, or 0 */
	const char *names;
	uint64_t seed;
};

/* Collects entries; may be used for one index after the other. Zero is empty. */
struct dirindex_builder {
	struct dirindex_entry *entries;
	uint32_t *hashes; /* of the entries' names, so that none is looked at twice */
	struct dirindex_more *more;
	uint32_t *slots;
	char *names;
	uint32_t n, mask, n_more;
	uint32_t room, room_hashes, room_more;
	size_t names_length, names_room;
	uint64_t seed; /* a secret number: nobody can choose names that meet in the table */
};

void dirindex_builder_done(struct dirindex_builder *b);

/* Forgets what was collected and keeps the memory. */
void dirindex_begin(struct dirindex_builder *b);

/* The entry of that name, whatever its flags; NULL where there is none. Valid until the next dirindex_add(). */
struct dirindex_entry *dirindex_built(const struct dirindex_builder *b, const char *name,
				      size_t length);

/*
 * Adds a name that is not there yet, of 1 to DIRINDEX_NAME_MAX bytes. 0, -ENOMEM, -EINVAL for such a name, or
 * -EFBIG where there are more than `max` entries.
 */
int dirindex_add(struct dirindex_builder *b, uint32_t max, const char *name,
		 size_t length, const struct dirindex_entry *e);

/* Adds a further layer to an entry, below those it has. 0 or -ENOMEM. */
int dirindex_add_layer(struct dirindex_builder *b, struct dirindex_entry *e,
		       uint16_t layer);

/* The lowest layer of an entry that is being built. */
uint16_t dirindex_lowest(const struct dirindex_builder *b, const struct dirindex_entry *e);

/* The index of what was collected, whiteouts left out, in the order of adding. 0 or -ENOMEM. The caller owns *ret. */
int dirindex_finish(const struct dirindex_builder *b, struct dirindex **ret);
void dirindex_free(struct dirindex *x);
DEFINE_CLEANUP(struct dirindex, dirindex_free)

/* The number of the entry of that name, or DIRINDEX_NONE. The time does not depend on the number of layers. */
uint32_t dirindex_find(const struct dirindex *x, const char *name, size_t length);

/* The name of an entry, with NUL. */
static inline const char *dirindex_name(const struct dirindex *x,
					const struct dirindex_entry *e) {
	return x->names + e->name;
}

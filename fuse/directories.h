/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The directories of a union that are in use: each with its layers, its place in its parent, and its index. */
#pragma once

#include "dirindex.h"
#include "fdcache.h"
#include "layers.h"

#define DIRECTORIES_MEMORY_EASY \
	((size_t)16 * 1024 * 1024) /* bytes; beyond them what is not in use goes */
#define DIRECTORIES_MEMORY_MAX ((size_t)2 * 1024 * 1024 * 1024)
#define DIRECTORIES_MAX (UINT32_MAX / 2)
#define DIRECTORIES_PATH_MAX 4096 /* PATH_MAX */

struct directory {
	uint32_t number, parent,
		entry; /* `entry` of the parent's index; 0 for the root */
	uint32_t users; /* entries of the index that the kernel knows, or that are directories in use */
	struct dirindex *index; /* NULL until it is needed */
	unsigned n_layers;
	uint16_t layers[]; /* top first */
};

struct directories {
	const struct layers *layers;
	struct directory **list; /* by number; the root is 0; NULL where a number is free */
	uint32_t n, room, free, hand;
	size_t memory;	    /* bytes of all indexes */
	struct fdcache fds; /* of directories, in each layer */
	struct fdcache
		files; /* of regular files, by node: the number of the directory + 1, and of the entry */
	char path[DIRECTORIES_PATH_MAX];
};

/* 0 or -ENOMEM. End it with directories_done() in any case. `layers` must outlive it. */
int directories_init(struct directories *d, const struct layers *layers);
void directories_done(struct directories *d);

/* The directory of this number, or NULL. */
static inline struct directory *directories_get(const struct directories *d,
						uint32_t number) {
	return number < d->n ? d->list[number] : NULL;
}

/* The directory that is entry `entry` of the index of `parent`; made where it is not in use yet. 0, -ENOMEM. */
int directories_enter(struct directories *d, struct directory *parent, uint32_t entry,
		      struct directory **ret);

/*
 * An O_PATH fd of the directory in one of its layers, borrowed until the next call; or a negative errno. The path
 * begins at the fd of the nearest directory above that is open.
 */
int directories_fd(struct directories *d, const struct directory *dir, uint16_t layer);

/*
 * The same, but open for reading, to be listed once; it stays open until directories_end_listing().
 */
struct directories_listing {
	uint64_t key;
	int fd;
	bool is_ours; /* of the listing, not of the cache */
};
int directories_begin_listing(struct directories *d, const struct directory *dir,
			      uint16_t layer, struct directories_listing *ret);
void directories_end_listing(struct directories *d, struct directories_listing *l);

/*
 * Gives the directory its index, and lets go of indexes nobody uses where there are too many, never of `dir`. 0, or
 * -ENOMEM where all indexes together would exceed DIRECTORIES_MEMORY_MAX; then *index is still the caller's.
 */
int directories_set_index(struct directories *d, struct directory *dir,
			  struct dirindex **index);

/* Says that the kernel has got to know an entry `n` times, or has forgotten it. */
void directories_use(struct directory *dir, struct dirindex_entry *e, uint32_t n);
void directories_forget(struct directory *dir, struct dirindex_entry *e, uint64_t n);

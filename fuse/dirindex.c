/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An open-addressed hash table over an array of entries, with the names in an arena. */
#include "dirindex.h"

#include <string.h>

#define FIRST_ROOM 64 /* entries; a power of two, as the number of slots is twice that */

/* Eight bytes at a time, stirred by multiplications with a secret: fast, and not to be foreseen. */
static uint32_t hash(uint64_t seed, const char *name, size_t length) {
	uint64_t h = seed ^ length * UINT64_C(0x9e3779b97f4a7c15);

	for (; length > 0;) {
		size_t n = length < 8 ? length : 8;
		uint64_t word = 0;
		__uint128_t product;

		memcpy(&word, name, n);
		product = (__uint128_t)(h ^ word) * (seed | 1);
		h = (uint64_t)product ^ (uint64_t)(product >> 64) ^ h >> 29;
		name += n;
		length -= n;
	}
	h *= UINT64_C(0xff51afd7ed558ccd);
	return (uint32_t)(h >> 32);
}

/* The slot of the name, or the empty one where it would be. */
static uint32_t probe(const uint32_t *slots, uint32_t mask, uint32_t hashed,
		      const struct dirindex_entry *entries, const char *names,
		      const char *name, size_t length) {
	uint32_t i = hashed & mask;

	for (; slots[i] != 0; i = (i + 1) & mask) {
		const struct dirindex_entry *e = &entries[slots[i] - 1];

		if (e->length == length && memcmp(names + e->name, name, length) == 0)
			break;
	}
	return i;
}

/* Of a name that is not in the table, without a look at those that are. */
static void put(uint32_t *slots, uint32_t mask, uint32_t hashed, uint32_t entry) {
	uint32_t i = hashed & mask;

	while (slots[i] != 0)
		i = (i + 1) & mask;
	slots[i] = entry + 1;
}

void dirindex_builder_done(struct dirindex_builder *b) {
	free(b->entries);
	free(b->hashes);
	free(b->more);
	free(b->slots);
	free(b->names);
	*b = (struct dirindex_builder){ .entries = NULL };
}

void dirindex_begin(struct dirindex_builder *b) {
	b->n = 0;
	b->n_more = 0;
	b->names_length = 0;
	b->mask = 0;
}

struct dirindex_entry *dirindex_built(const struct dirindex_builder *b, const char *name,
				      size_t length) {
	uint32_t i;

	if (b->n == 0)
		return NULL;
	i = probe(b->slots, b->mask, hash(b->seed, name, length), b->entries, b->names,
		  name, length);
	return b->slots[i] ? &b->entries[b->slots[i] - 1] : NULL;
}

static int grow_array(void *array, uint32_t n, uint32_t *room, size_t size) {
	uint32_t wanted = *room ? 2 * *room : FIRST_ROOM;
	void *grown;

	if (n < *room)
		return 0;
	if (wanted <= *room)
		return -ENOMEM;
	grown = reallocarray(*(void **)array, wanted, size);
	if (!grown)
		return -ENOMEM;
	*(void **)array = grown;
	*room = wanted;
	return 0;
}

/* At least half of the slots stay empty. A new table begins small, whatever came before. */
static int grow_table(struct dirindex_builder *b) {
	uint32_t *slots, mask = b->mask;

	if (mask != 0 && b->n < (mask + 1) / 2)
		return 0;
	mask = mask ? 2 * mask + 1 : 2 * FIRST_ROOM - 1;
	slots = reallocarray(b->slots, (size_t)mask + 1, sizeof(*slots));
	if (!slots)
		return -ENOMEM;
	b->slots = slots;
	b->mask = mask;
	memset(slots, 0, ((size_t)mask + 1) * sizeof(*slots));
	for (uint32_t i = 0; i < b->n; i++)
		put(slots, mask, b->hashes[i], i);
	return 0;
}

/* Room for one entry more. */
static int make_room(struct dirindex_builder *b) {
	int r = grow_array(&b->entries, b->n, &b->room, sizeof(*b->entries));

	if (r == 0)
		r = grow_array(&b->hashes, b->n, &b->room_hashes, sizeof(*b->hashes));
	return r == 0 ? grow_table(b) : r;
}

static int add_name(struct dirindex_builder *b, const char *name, size_t length,
		    uint32_t *ret) {
	size_t needed = b->names_length + length + 1;

	if (needed > UINT32_MAX)
		return -ENOMEM;
	if (needed > b->names_room) {
		size_t room = 2 * needed + 1024;
		char *names = realloc(b->names, room);

		if (!names)
			return -ENOMEM;
		b->names = names;
		b->names_room = room;
	}
	memcpy(b->names + b->names_length, name, length);
	b->names[needed - 1] = '\0';
	*ret = (uint32_t)b->names_length;
	b->names_length = needed;
	return 0;
}

int dirindex_add(struct dirindex_builder *b, uint32_t max, const char *name,
		 size_t length, const struct dirindex_entry *e) {
	struct dirindex_entry added = *e;
	int r;

	if (length < 1 || length > DIRINDEX_NAME_MAX)
		return -EINVAL;
	if (b->n >= max)
		return -EFBIG;
	r = make_room(b);
	if (r == 0)
		r = add_name(b, name, length, &added.name);
	if (r < 0)
		return r;
	added.length = (uint8_t)length;
	added.more = DIRINDEX_NONE;
	b->hashes[b->n] = hash(b->seed, name, length);
	put(b->slots, b->mask, b->hashes[b->n], b->n);
	b->entries[b->n++] = added;
	return 0;
}

int dirindex_add_layer(struct dirindex_builder *b, struct dirindex_entry *e,
		       uint16_t layer) {
	uint32_t *last = &e->more;
	int r = grow_array(&b->more, b->n_more, &b->room_more, sizeof(*b->more));

	if (r < 0)
		return r;
	while (*last != DIRINDEX_NONE)
		last = &b->more[*last].next;
	*last = b->n_more;
	b->more[b->n_more++] = (struct dirindex_more){ .next = DIRINDEX_NONE,
						       .layer = layer };
	return 0;
}

uint16_t dirindex_lowest(const struct dirindex_builder *b,
			 const struct dirindex_entry *e) {
	uint16_t layer = e->layer;

	for (uint32_t i = e->more; i != DIRINDEX_NONE; i = b->more[i].next)
		layer = b->more[i].layer;
	return layer;
}

/* Slots for `n` entries: at least half as many again, a power of two. */
static uint32_t slots_for(uint32_t n) {
	uint32_t slots = 4;

	while (slots < n + n / 2)
		slots *= 2;
	return slots;
}

int dirindex_finish(const struct dirindex_builder *b, struct dirindex **ret) {
	uint32_t n = 0, slots;
	struct dirindex *x;
	char *names;
	size_t size;

	for (uint32_t i = 0; i < b->n; i++)
		n += !(b->entries[i].flags & DIRINDEX_WHITEOUT);
	slots = slots_for(n);
	size = sizeof(*x) + n * sizeof(*x->entries) + b->n_more * sizeof(*x->more) +
	       slots * sizeof(*x->slots) + b->names_length;
	x = malloc(size);
	if (!x)
		return -ENOMEM;
	*x = (struct dirindex){ .n = n, .mask = slots - 1, .size = size, .seed = b->seed };
	x->entries = (struct dirindex_entry *)(x + 1);
	x->more = (struct dirindex_more *)(x->entries + n);
	x->slots = (uint32_t *)(x->more + b->n_more);
	x->names = names = (char *)(x->slots + slots);
	if (b->n_more > 0)
		memcpy(x->more, b->more, b->n_more * sizeof(*x->more));
	if (b->names_length > 0)
		memcpy(names, b->names, b->names_length);
	memset(x->slots, 0, slots * sizeof(*x->slots));
	n = 0;
	for (uint32_t i = 0; i < b->n; i++) {
		if (b->entries[i].flags & DIRINDEX_WHITEOUT)
			continue;
		put(x->slots, x->mask, b->hashes[i], n);
		x->entries[n++] = b->entries[i];
	}
	*ret = x;
	return 0;
}

void dirindex_free(struct dirindex *x) {
	free(x);
}

uint32_t dirindex_find(const struct dirindex *x, const char *name, size_t length) {
	if (length > DIRINDEX_NAME_MAX)
		return DIRINDEX_NONE;
	/* A slot is one more than the number of its entry, and 0 - 1 is DIRINDEX_NONE. */
	return x->slots[probe(x->slots, x->mask, hash(x->seed, name, length), x->entries,
			      x->names, name, length)] -
	       1;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A hash table of slots, and a list of those that are not open, by age. */
#include "backings.h"

#define FIRST_ROOM 64

int backings_init(struct backings *b) {
	*b = (struct backings){ .free = BACKINGS_NONE,
				.oldest = BACKINGS_NONE,
				.newest = BACKINGS_NONE };
	b->buckets = malloc(FIRST_ROOM * sizeof(*b->buckets));
	if (!b->buckets)
		return -ENOMEM;
	b->mask = FIRST_ROOM - 1;
	for (uint32_t i = 0; i <= b->mask; i++)
		b->buckets[i] = BACKINGS_NONE;
	return 0;
}

void backings_done(struct backings *b) {
	free(b->slots);
	free(b->buckets);
	*b = (struct backings){ .slots = NULL };
}

/* Numbers of nodes are a directory's and an entry's, so the product's middle bits depend on both. */
static uint32_t *bucket_of(const struct backings *b, uint64_t node) {
	return &b->buckets[node * UINT64_C(0x9e3779b97f4a7c15) >> 32 & b->mask];
}

uint32_t backings_find(const struct backings *b, uint64_t node) {
	uint32_t i = *bucket_of(b, node);

	while (i != BACKINGS_NONE && b->slots[i].node != node)
		i = b->slots[i].next;
	return i;
}

/* --- the list by age --- */

static uint32_t *newer_of(struct backings *b, uint32_t i) {
	return i == BACKINGS_NONE ? &b->oldest : &b->slots[i].newer;
}

static uint32_t *older_of(struct backings *b, uint32_t i) {
	return i == BACKINGS_NONE ? &b->newest : &b->slots[i].older;
}

static void rest(struct backings *b, uint32_t i) {
	b->slots[i].older = b->newest;
	b->slots[i].newer = BACKINGS_NONE;
	*newer_of(b, b->newest) = i;
	b->newest = i;
	b->n_idle++;
}

static void wake(struct backings *b, uint32_t i) {
	struct backing *s = &b->slots[i];

	*newer_of(b, s->older) = s->newer;
	*older_of(b, s->newer) = s->older;
	b->n_idle--;
}

/* --- slots --- */

static void leave_bucket(struct backings *b, uint32_t i) {
	uint32_t *at = bucket_of(b, b->slots[i].node);

	while (*at != i)
		at = &b->slots[*at].next;
	*at = b->slots[i].next;
	b->slots[i].node = 0;
}

/* The slot is in no list and no bucket. */
static int32_t vacate(struct backings *b, uint32_t i) {
	int32_t id = b->slots[i].id;

	b->slots[i] = (struct backing){ .next = b->free };
	b->free = i;
	return id;
}

static void enter_bucket(struct backings *b, uint32_t i) {
	uint32_t *bucket = bucket_of(b, b->slots[i].node);

	b->slots[i].next = *bucket;
	*bucket = i;
}

/* As many buckets as slots. */
static int grow(struct backings *b) {
	uint32_t room = b->room ? 2 * b->room : FIRST_ROOM;
	struct backing *slots = reallocarray(b->slots, room, sizeof(*slots));
	uint32_t *buckets;

	if (!slots)
		return -ENOMEM;
	b->slots = slots;
	buckets = reallocarray(b->buckets, room, sizeof(*buckets));
	if (!buckets)
		return -ENOMEM;
	b->buckets = buckets;
	b->room = room;
	b->mask = room - 1;
	for (uint32_t i = 0; i < room; i++)
		buckets[i] = BACKINGS_NONE;
	for (uint32_t i = 0; i < b->n; i++)
		if (slots[i].node != 0)
			enter_bucket(b, i);
	return 0;
}

static int take_slot(struct backings *b, uint32_t *ret) {
	if (b->free != BACKINGS_NONE) {
		*ret = b->free;
		b->free = b->slots[b->free].next;
		return 0;
	}
	if (b->n == b->room) {
		int r = grow(b);

		if (r < 0)
			return r;
	}
	*ret = b->n++;
	return 0;
}

static int32_t drop(struct backings *b, uint32_t i) {
	wake(b, i);
	leave_bucket(b, i);
	return vacate(b, i);
}

int backings_add(struct backings *b, uint64_t node, int32_t id, uint32_t *ret,
		 int32_t *ret_gone) {
	int32_t gone = 0;
	uint32_t i;
	int r;

	if (b->n_idle >= BACKINGS_IDLE_MAX)
		gone = drop(b, b->oldest);
	r = take_slot(b, &i);
	if (r < 0)
		return r;
	b->slots[i] = (struct backing){ .node = node, .id = id };
	enter_bucket(b, i);
	rest(b, i);
	*ret = i;
	*ret_gone = gone;
	return 0;
}

void backings_open(struct backings *b, uint32_t slot) {
	if (b->slots[slot].opens++ == 0)
		wake(b, slot);
}

int32_t backings_release(struct backings *b, uint32_t slot) {
	struct backing *s = slot < b->n ? &b->slots[slot] : NULL;

	if (!s || s->opens == 0 || --s->opens > 0)
		return 0;
	if (s->node == 0)
		return vacate(b, slot);
	rest(b, slot);
	return s->id == 0 ? drop(b, slot) : 0;
}

int32_t backings_forget(struct backings *b, uint64_t node) {
	uint32_t i = backings_find(b, node);

	if (i == BACKINGS_NONE)
		return 0;
	if (b->slots[i].opens == 0)
		return drop(b, i);
	leave_bucket(b, i);
	return 0;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A bounded memory of blocks: sets of four slots, so that a look-up is four comparisons under the lock. */
#include "blockcache.h"

#include <pthread.h>
#include <string.h>

#define WAYS 4
#define EMPTY UINT64_MAX

struct slot {
	uint64_t number, used; /* EMPTY; the time of the last use, in uses of the cache */
};

struct blockcache {
	pthread_mutex_t lock;
	size_t block_size, sets;
	uint64_t uses;
	struct slot *slots; /* WAYS for each set */
	uint8_t *blocks;    /* one for each slot */
};

int blockcache_new(size_t block_size, size_t bytes, struct blockcache **ret) {
	_cleanup_(blockcache_freep) struct blockcache *c = calloc(1, sizeof(*c));

	if (!c)
		return -ENOMEM;
	/* A default mutex cannot fail to be made. */
	pthread_mutex_init(&c->lock, NULL);
	c->block_size = block_size;
	c->sets = bytes / block_size / WAYS ?: 1;
	c->slots = calloc(c->sets, WAYS * sizeof(*c->slots));
	c->blocks = calloc(c->sets, WAYS * block_size);
	if (!c->slots || !c->blocks)
		return -ENOMEM;
	for (size_t i = 0; i < c->sets * WAYS; i++)
		c->slots[i].number = EMPTY;
	*ret = TAKE_PTR(c);
	return 0;
}

static uint8_t *block_of(const struct blockcache *c, const struct slot *s) {
	return c->blocks + (size_t)(s - c->slots) * c->block_size;
}

static struct slot *find(const struct blockcache *c, uint64_t number) {
	struct slot *set = c->slots + number % c->sets * WAYS;

	for (size_t i = 0; i < WAYS; i++)
		if (set[i].number == number)
			return &set[i];
	return NULL;
}

static struct slot *find_oldest(const struct blockcache *c, uint64_t number) {
	struct slot *set = c->slots + number % c->sets * WAYS, *oldest = set;

	for (size_t i = 1; i < WAYS; i++)
		if (set[i].used < oldest->used)
			oldest = &set[i];
	return oldest;
}

bool blockcache_get(struct blockcache *c, uint64_t number, void *ret) {
	struct slot *s;

	pthread_mutex_lock(&c->lock);
	s = find(c, number);
	if (s) {
		s->used = ++c->uses;
		memcpy(ret, block_of(c, s), c->block_size);
	}
	pthread_mutex_unlock(&c->lock);
	return s;
}

void blockcache_put(struct blockcache *c, uint64_t number, const void *block) {
	struct slot *s;

	pthread_mutex_lock(&c->lock);
	s = find(c, number) ?: find_oldest(c, number);
	*s = (struct slot){ .number = number, .used = ++c->uses };
	memcpy(block_of(c, s), block, c->block_size);
	pthread_mutex_unlock(&c->lock);
}

void blockcache_free(struct blockcache *c) {
	if (!c)
		return;
	pthread_mutex_destroy(&c->lock);
	free(c->slots);
	free(c->blocks);
	free(c);
}

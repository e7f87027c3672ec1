/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A set-associative cache: a key has FDCACHE_WAYS places. */
#include "fdcache.h"

static struct fdcache_slot *set_of(struct fdcache *c, uint64_t key) {
	uint64_t h = key * UINT64_C(0x9e3779b97f4a7c15);

	return c->slots[h >> 32 & (FDCACHE_SETS - 1)];
}

static struct fdcache_slot *slot_of(struct fdcache *c, uint64_t key) {
	struct fdcache_slot *set = set_of(c, key);

	for (size_t i = 0; i < FDCACHE_WAYS; i++)
		if (set[i].key == key)
			return &set[i];
	return NULL;
}

static void empty(struct fdcache_slot *s) {
	close_fdp(&s->fd);
	*s = (struct fdcache_slot){ .fd = -EBADF };
}

void fdcache_init(struct fdcache *c) {
	*c = (struct fdcache){ .clock = 0 };
	for (size_t i = 0; i < FDCACHE_SETS; i++)
		for (size_t j = 0; j < FDCACHE_WAYS; j++)
			c->slots[i][j].fd = -EBADF;
}

void fdcache_done(struct fdcache *c) {
	for (size_t i = 0; i < FDCACHE_SETS; i++)
		for (size_t j = 0; j < FDCACHE_WAYS; j++)
			empty(&c->slots[i][j]);
}

int fdcache_find(struct fdcache *c, uint64_t key) {
	struct fdcache_slot *s = slot_of(c, key);

	if (!s)
		return -ENOENT;
	s->age = ++c->clock;
	return s->fd;
}

bool fdcache_add(struct fdcache *c, uint64_t key, int fd) {
	struct fdcache_slot *set = set_of(c, key), *oldest = NULL;

	for (size_t i = 0; i < FDCACHE_WAYS; i++)
		if (set[i].pins == 0 &&
		    (!oldest || c->clock - set[i].age > c->clock - oldest->age))
			oldest = &set[i];
	if (!oldest)
		return false;
	empty(oldest);
	*oldest = (struct fdcache_slot){ .key = key, .age = ++c->clock, .fd = fd };
	return true;
}

void fdcache_pin(struct fdcache *c, uint64_t key) {
	struct fdcache_slot *s = slot_of(c, key);

	if (s)
		s->pins++;
}

void fdcache_unpin(struct fdcache *c, uint64_t key) {
	struct fdcache_slot *s = slot_of(c, key);

	if (s && s->pins > 0)
		s->pins--;
}

void fdcache_drop(struct fdcache *c, uint32_t upper) {
	for (size_t i = 0; i < FDCACHE_SETS; i++)
		for (size_t j = 0; j < FDCACHE_WAYS; j++)
			if (c->slots[i][j].key >> 32 == upper)
				empty(&c->slots[i][j]);
}

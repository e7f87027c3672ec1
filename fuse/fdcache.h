/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A bounded number of open fds by 64-bit keys; which one goes is chosen by age. Not for several threads. */
#pragma once

#include "../merge/base.h"

#define FDCACHE_WAYS 4
#define FDCACHE_SETS 32 /* a power of two; at most FDCACHE_WAYS * FDCACHE_SETS fds */

struct fdcache {
	struct fdcache_slot {
		uint64_t key;
		uint32_t age, pins;
		int fd;
	} slots[FDCACHE_SETS][FDCACHE_WAYS];
	uint32_t clock;
};

void fdcache_init(struct fdcache *c);

/* Closes all. */
void fdcache_done(struct fdcache *c);

/* The fd of the key, borrowed until the next fdcache_add(), or -ENOENT. Keys are not 0. */
int fdcache_find(struct fdcache *c, uint64_t key);

/*
 * Gives `fd` to the cache. True; or false where all that could go is pinned: then it stays the caller's.
 */
bool fdcache_add(struct fdcache *c, uint64_t key, int fd);

/* Keeps the fd of a key that is there open until fdcache_unpin(). */
void fdcache_pin(struct fdcache *c, uint64_t key);
void fdcache_unpin(struct fdcache *c, uint64_t key);

/* Closes the fds of all keys with these upper 32 bits. None of them may be pinned. */
void fdcache_drop(struct fdcache *c, uint32_t upper);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A bounded memory of blocks by number, the least recently used gives way. Safe for several threads. */
#pragma once

#include "../merge/base.h"

struct blockcache;

/*
 * For blocks of `block_size` bytes, as many as `bytes` hold, at least four. All memory is taken now. 0 with
 * *ret, which the caller owns, or -ENOMEM.
 */
int blockcache_new(size_t block_size, size_t bytes, struct blockcache **ret);

/* Copies block `number` to `ret`; false where it is not there. */
bool blockcache_get(struct blockcache *c, uint64_t number, void *ret);

/* Keeps a copy; any number but UINT64_MAX. */
void blockcache_put(struct blockcache *c, uint64_t number, const void *block);

void blockcache_free(struct blockcache *c);
DEFINE_CLEANUP(struct blockcache, blockcache_free)

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where the blocks of a dm-verity hash tree lie, and which of them covers which data block. Pure. */
#pragma once

#include "../merge/base.h"

/* Eight digests fit into the smallest block, so three bits fall away with each level. */
#define GEOMETRY_LEVELS_MAX 22

/* Level 0 holds the digests of the data blocks, the last level is one block: the root's. */
struct geometry {
	unsigned levels; /* 0 where there is one data block: its digest is the root hash */
	unsigned index_bits; /* a hash block holds 1 << index_bits digests */
	unsigned slot_size;  /* bytes from one digest to the next: a power of two */
	uint64_t start[GEOMETRY_LEVELS_MAX]; /* of each level, in hash blocks of the hash area */
	uint64_t blocks[GEOMETRY_LEVELS_MAX]; /* of each level */
	uint64_t end; /* hash blocks of the hash area in use, that of the superblock included */
};

/*
 * The tree of `data_blocks` (at least 1) with hash blocks of `hash_block_size` bytes (a power of two, at
 * least 512) and digests of `digest_size` bytes (at most 64). The superblock is hash block 0; the levels
 * follow it, the root's first (specs: verity.6, verity.7).
 */
struct geometry geometry_of(uint64_t data_blocks, uint32_t hash_block_size,
			    size_t digest_size);

/* The index, within `level`, of the hash block above data block `block`. */
uint64_t geometry_index(const struct geometry *g, unsigned level, uint64_t block);

/* Where, in that hash block, the digest that leads to `block` stands: bytes. */
size_t geometry_slot(const struct geometry *g, unsigned level, uint64_t block);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The arithmetic of dm-verity hash trees. */
#include "geometry.h"

#define SUPERBLOCK_BLOCKS 1

/* verity.6: the largest power of two of digests that fits into a hash block. */
static unsigned count_index_bits(uint32_t hash_block_size, size_t digest_size) {
	unsigned bits = 0;

	while ((digest_size << (bits + 1)) <= hash_block_size)
		bits++;
	return bits;
}

struct geometry geometry_of(uint64_t data_blocks, uint32_t hash_block_size,
			    size_t digest_size) {
	struct geometry g = { .index_bits = count_index_bits(hash_block_size, digest_size),
			      .end = SUPERBLOCK_BLOCKS };

	g.slot_size = hash_block_size >> g.index_bits;
	for (uint64_t n = data_blocks; n > 1;) {
		n = ((n - 1) >> g.index_bits) + 1;
		g.blocks[g.levels++] = n;
	}
	for (unsigned level = g.levels; level-- > 0;) {
		g.start[level] = g.end;
		g.end += g.blocks[level];
	}
	return g;
}

uint64_t geometry_index(const struct geometry *g, unsigned level, uint64_t block) {
	unsigned bits = g->index_bits * (level + 1);

	return bits < 64 ? block >> bits : 0;
}

size_t geometry_slot(const struct geometry *g, unsigned level, uint64_t block) {
	uint64_t child = block >> (g->index_bits * level);

	return (child & ((UINT64_C(1) << g->index_bits) - 1)) * g->slot_size;
}

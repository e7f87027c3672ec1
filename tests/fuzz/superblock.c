/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Any superblock over areas of any size: what is accepted is bounded by them. */

#include <assert.h>
#include <string.h>

#include "merge/bytes.h"
#include "verity/superblock.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check_tree(const struct superblock *sb, uint64_t hash_size) {
	const struct geometry *g = &sb->geometry;
	uint64_t next = 1, n = sb->data_blocks;

	assert(g->levels <= GEOMETRY_LEVELS_MAX);
	assert(((size_t)g->slot_size << g->index_bits) == sb->hash_block_size);
	assert(g->slot_size >= sb->digest_size && g->slot_size < 2 * sb->digest_size);
	for (unsigned level = g->levels; level-- > 0;) {
		assert(g->start[level] == next);
		next += g->blocks[level];
	}
	assert(next == g->end && g->end <= hash_size / sb->hash_block_size);
	for (unsigned level = 0; level < g->levels; level++) {
		uint64_t index = geometry_index(g, level, sb->data_blocks - 1);

		assert(index == g->blocks[level] - 1 && g->blocks[level] < n);
		assert(geometry_slot(g, level, sb->data_blocks - 1) + g->slot_size <=
		       sb->hash_block_size);
		n = g->blocks[level];
	}
	assert(n == 1);
}

/* The input is the superblock, then the sizes of the two areas. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
	uint64_t data_size, hash_size;
	const char *why = NULL;
	struct superblock sb;
	int r;

	if (len < SUPERBLOCK_SIZE + 16)
		return 0;
	data_size = bytes_le64(data + SUPERBLOCK_SIZE);
	hash_size = bytes_le64(data + SUPERBLOCK_SIZE + 8);
	r = superblock_parse(data, data_size, hash_size, &sb, &why);
	assert(r == 0 || (r == -EBADMSG && why));
	if (r < 0)
		return 0;
	assert(sb.salt_size <= SUPERBLOCK_SALT_MAX && sb.data_blocks > 0);
	assert(sb.data_blocks <= data_size / sb.data_block_size);
	assert(sb.digest_size <= SUPERBLOCK_DIGEST_MAX);
	assert(sb.hash_block_size <= SUPERBLOCK_BLOCK_MAX);
	check_tree(&sb, hash_size);
	return 0;
}

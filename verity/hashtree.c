/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The walk from a data block up to the first hash block that is known, and down again, checking. */
#include "hashtree.h"

#include <string.h>

#include "blockcache.h"
#include "hasher.h"

#define NOTHING UINT64_MAX

struct hashtree {
	struct superblock superblock;
	uint8_t root[SUPERBLOCK_DIGEST_MAX];
	struct hashtree_source source;
	struct blockcache
		*cache; /* by number in the hash area; what is in it has been checked */
};

struct hashtree_reader {
	struct hashtree *tree;
	struct hasher *hasher;
	uint64_t held; /* the block of level 0 that `block` is, or NOTHING */
	uint8_t block[SUPERBLOCK_BLOCK_MAX]; /* a hash block */
};

int hashtree_new(const struct superblock *sb, const uint8_t *root, size_t root_size,
		 const struct hashtree_source *source, size_t cache_bytes,
		 struct hashtree **ret, const char **ret_why) {
	_cleanup_(hashtree_freep) struct hashtree *t = NULL;
	int r;

	if (root_size != sb->digest_size) {
		*ret_why =
			"the root hash is of another length than the hash tree's digests";
		return -EBADMSG;
	}
	t = calloc(1, sizeof(*t));
	if (!t)
		return -ENOMEM;
	t->superblock = *sb;
	t->source = *source;
	memcpy(t->root, root, root_size);
	r = blockcache_new(sb->hash_block_size, cache_bytes, &t->cache);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(t);
	return 0;
}

void hashtree_free(struct hashtree *t) {
	if (!t)
		return;
	blockcache_free(t->cache);
	free(t);
}

const struct superblock *hashtree_superblock(const struct hashtree *t) {
	return &t->superblock;
}

const struct hashtree_source *hashtree_source(const struct hashtree *t) {
	return &t->source;
}

int hashtree_reader_new(struct hashtree *t, struct hashtree_reader **ret) {
	_cleanup_(hashtree_reader_freep) struct hashtree_reader *rd = NULL;
	int r;

	rd = calloc(1, sizeof(*rd));
	if (!rd)
		return -ENOMEM;
	rd->tree = t;
	rd->held = NOTHING;
	r = hasher_new(t->superblock.algorithm, t->superblock.salt,
		       t->superblock.salt_size, &rd->hasher);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(rd);
	return 0;
}

void hashtree_reader_free(struct hashtree_reader *rd) {
	if (!rd)
		return;
	hasher_free(rd->hasher);
	free(rd);
}

int hashtree_verify_block(struct hashtree_reader *rd, enum hashtree_area area,
			  const void *block, const uint8_t *expected) {
	const struct superblock *sb = &rd->tree->superblock;
	uint8_t digest[SUPERBLOCK_DIGEST_MAX];
	int r;

	r = hasher_digest(rd->hasher, block,
			  area == HASHTREE_DATA ? sb->data_block_size
						: sb->hash_block_size,
			  digest);
	if (r < 0)
		return r;
	return memcmp(digest, expected, sb->digest_size) == 0 ? 0 : -EBADMSG;
}

/* The place, in blocks of the hash area, of the block of `level` above data block `block`. */
static uint64_t place_of(const struct hashtree *t, unsigned level, uint64_t block) {
	const struct geometry *g = &t->superblock.geometry;

	return g->start[level] + geometry_index(g, level, block);
}

/* The digest that the block below `level` must have; in the reader's block, or the root hash. */
static const uint8_t *expected_below(const struct hashtree_reader *rd, unsigned level,
				     uint64_t block) {
	const struct geometry *g = &rd->tree->superblock.geometry;

	if (level == g->levels)
		return rd->tree->root;
	return rd->block + geometry_slot(g, level, block);
}

/* verity.9: replaces the reader's block, of the level above, by the one of `level`, and checks that. */
static int descend(struct hashtree_reader *rd, unsigned level, uint64_t block,
		   struct hashtree_fault *ret_fault) {
	struct hashtree *t = rd->tree;
	uint64_t place = place_of(t, level, block);
	uint64_t offset = place * t->superblock.hash_block_size;
	uint8_t expected[SUPERBLOCK_DIGEST_MAX];
	int r;

	memcpy(expected, expected_below(rd, level + 1, block), t->superblock.digest_size);
	r = t->source.read(t->source.userdata, HASHTREE_HASH, offset, rd->block,
			   t->superblock.hash_block_size);
	if (r == 0)
		r = hashtree_verify_block(rd, HASHTREE_HASH, rd->block, expected);
	if (r < 0) {
		*ret_fault = (struct hashtree_fault){
			.area = HASHTREE_HASH,
			.level = level,
			.block = geometry_index(&t->superblock.geometry, level, block),
			.offset = offset,
		};
		return r;
	}
	blockcache_put(t->cache, place, rd->block);
	return 0;
}

/* Makes the reader's block the one of level 0 above data block `block`. */
static int hold(struct hashtree_reader *rd, uint64_t block,
		struct hashtree_fault *ret_fault) {
	const struct geometry *g = &rd->tree->superblock.geometry;
	uint64_t wanted = geometry_index(g, 0, block);
	unsigned level = 0;

	if (rd->held == wanted || g->levels == 0)
		return 0;
	rd->held = NOTHING;
	while (level < g->levels &&
	       !blockcache_get(rd->tree->cache, place_of(rd->tree, level, block),
			       rd->block))
		level++;
	while (level-- > 0) {
		int r = descend(rd, level, block, ret_fault);

		if (r < 0)
			return r;
	}
	rd->held = wanted;
	return 0;
}

int hashtree_check(struct hashtree_reader *rd, uint64_t block, const void *data,
		   struct hashtree_fault *ret_fault) {
	const struct superblock *sb = &rd->tree->superblock;
	int r;

	if (block >= sb->data_blocks)
		return -ERANGE;
	r = hold(rd, block, ret_fault);
	if (r < 0)
		return r;
	r = hashtree_verify_block(rd, HASHTREE_DATA, data, expected_below(rd, 0, block));
	if (r < 0)
		*ret_fault = (struct hashtree_fault){
			.area = HASHTREE_DATA,
			.block = block,
			.offset = block * sb->data_block_size,
		};
	return r;
}

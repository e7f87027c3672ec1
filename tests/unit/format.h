/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Making dm-verity hash areas in memory, level after level from the data up: not the arithmetic under test. */
#pragma once

#include <openssl/evp.h>
#include <string.h>

#include "image.h"
#include "merge/base.h"
#include "verity/superblock.h"

struct format {
	const char *algorithm;
	uint32_t data_block_size, hash_block_size;
	uint64_t data_blocks;
	size_t salt_size;
	uint8_t salt[SUPERBLOCK_SALT_MAX];
};

/* What is made; all owned. */
struct formatted {
	uint8_t *data, *hash; /* both areas */
	size_t data_size, hash_size;
	uint8_t root[SUPERBLOCK_DIGEST_MAX];
	size_t root_size;
};

/* Not Check's: a benchmark uses this too. */
static inline void format_require(bool ok) {
	if (!ok)
		abort();
}

/* The same bytes everywhere and for ever, no two blocks alike. */
static inline void format_fill(uint8_t *p, size_t len, uint32_t seed) {
	for (size_t i = 0; i < len; i++) {
		seed = seed * 1103515245 + 12345;
		p[i] = (uint8_t)(seed >> 16);
	}
}

static inline void *format_allocate(size_t len) {
	void *p = calloc(1, len ?: 1);

	format_require(p);
	return p;
}

static inline size_t format_digest(const struct format *f, const void *block, size_t len,
				   uint8_t *ret) {
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	unsigned n = 0;

	format_require(
		EVP_DigestInit_ex(context, EVP_get_digestbyname(f->algorithm), NULL));
	format_require(EVP_DigestUpdate(context, f->salt, f->salt_size));
	format_require(EVP_DigestUpdate(context, block, len));
	format_require(EVP_DigestFinal_ex(context, ret, &n));
	EVP_MD_CTX_free(context);
	return n;
}

static inline void format_superblock(const struct format *f,
				     uint8_t ret[static SUPERBLOCK_SIZE]) {
	memset(ret, 0, SUPERBLOCK_SIZE);
	memcpy(ret, "verity", 6);
	put_le(ret + 8, 4, 1);
	put_le(ret + 12, 4, 1);
	format_fill(ret + 16, 16, 77);
	memcpy(ret + 32, f->algorithm, strlen(f->algorithm));
	put_le(ret + 64, 4, f->data_block_size);
	put_le(ret + 68, 4, f->hash_block_size);
	put_le(ret + 72, 8, f->data_blocks);
	put_le(ret + 80, 2, f->salt_size);
	memcpy(ret + 88, f->salt, f->salt_size);
}

/* The level above `n` blocks of `block_size` bytes; *n becomes the number of its own blocks. */
static inline uint8_t *format_level(const struct format *f, const uint8_t *below,
				    uint64_t *n, size_t block_size, size_t digest_size) {
	size_t slot = 1, per_block, at = 0;
	uint8_t *level;

	while (slot < digest_size)
		slot *= 2;
	per_block = f->hash_block_size / slot;
	level = format_allocate((*n / per_block + 1) * f->hash_block_size);
	for (uint64_t i = 0; i < *n; i++, at += slot)
		format_digest(f, below + i * block_size, block_size, level + at);
	*n = (*n + per_block - 1) / per_block;
	return level;
}

/* Lays the area out from the top level down: superblock, last level, ..., first level. */
static inline struct formatted format_areas(const struct format *f) {
	struct formatted out = { .data_size = f->data_blocks * f->data_block_size };
	uint8_t *levels[64], *below, *to;
	uint64_t n = f->data_blocks, blocks[64], sum = 1;
	size_t top = 0, block_size = f->data_block_size;

	below = out.data = format_allocate(out.data_size);
	format_fill(out.data, out.data_size, 1);
	out.root_size = format_digest(f, "", 0, out.root);
	for (; n > 1; top++, block_size = f->hash_block_size) {
		below = levels[top] = format_level(f, below, &n, block_size,
						   out.root_size);
		sum += blocks[top] = n;
	}
	format_digest(f, below, block_size, out.root);
	out.hash_size = sum * f->hash_block_size;
	out.hash = format_allocate(out.hash_size);
	format_superblock(f, out.hash);
	to = out.hash + f->hash_block_size;
	while (top-- > 0) {
		to = mempcpy(to, levels[top], blocks[top] * f->hash_block_size);
		free(levels[top]);
	}
	return out;
}

static inline void formatted_done(struct formatted *f) {
	free(f->data);
	free(f->hash);
}

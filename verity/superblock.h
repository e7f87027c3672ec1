/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The superblock of a dm-verity hash area: not signed itself, so nothing in it is believed unbounded. Pure. */
#pragma once

#include "../merge/base.h"
#include "geometry.h"

#define SUPERBLOCK_SIZE 512 /* bytes, at the start of the hash area */
#define SUPERBLOCK_SALT_MAX 256
#define SUPERBLOCK_DIGEST_MAX 64
#define SUPERBLOCK_BLOCK_MAX \
	4096 /* the least page size: dm-verity takes no larger blocks */

struct superblock {
	const char *algorithm; /* static: "sha256", "sha384" or "sha512" */
	size_t digest_size;    /* bytes */
	uint8_t uuid[16];      /* in the byte order in which it is printed */
	uint32_t data_block_size, hash_block_size;
	uint64_t data_blocks;
	size_t salt_size;
	uint8_t salt[SUPERBLOCK_SALT_MAX];
	struct geometry geometry;
};

/*
 * Reads the superblock of a hash area of `hash_size` bytes that covers a data area of `data_size` bytes.
 * 0; or -EBADMSG and *ret_why, a static sentence: magic number, version, hash type, algorithm, block
 * sizes, salt, no data blocks, or more than the data area has, or a tree that the hash area does not
 * hold (specs: verity.1 to verity.5).
 */
int superblock_parse(const uint8_t bytes[static SUPERBLOCK_SIZE], uint64_t data_size,
		     uint64_t hash_size, struct superblock *ret, const char **ret_why);

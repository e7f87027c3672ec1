/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Making the hash tree of a file system, by libcryptsetup: no device, no privilege (specs: pack.9, verity.*). */
#pragma once

#include "superblock.h"

#define FORMAT_BLOCK 4096 /* bytes, of data and of hashes */
#define FORMAT_SALT_SIZE 32

struct format_request {
	int data_fd; /* a file that is the file system and nothing else */
	uint64_t data_size;
	int hash_fd;	      /* the superblock and the tree are written into this file */
	uint64_t hash_offset; /* at this byte, a multiple of 512 */
	uint8_t salt[FORMAT_SALT_SIZE];
	uint8_t uuid[16];
};

/* How many bytes superblock and tree take for so much data, a multiple of FORMAT_BLOCK of at least one block. */
static inline uint64_t format_size(uint64_t data_size) {
	return geometry_of(data_size / FORMAT_BLOCK, FORMAT_BLOCK, 32).end * FORMAT_BLOCK;
}

/*
 * Writes superblock and tree, by SHA-256. 0 and the root hash; -EOPNOTSUPP where libcryptsetup is not there, or was
 * left out when this was built (*ret_why a static sentence); otherwise what libcryptsetup returned.
 */
int format_tree(const struct format_request *f, uint8_t ret_root[static 32],
		const char **ret_why);

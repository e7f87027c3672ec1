/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A dm-verity hash tree, read and checked in userspace: is this data block the one under that root hash? */
#pragma once

#include "superblock.h"

enum hashtree_area { HASHTREE_DATA, HASHTREE_HASH };

/* Where bytes come from. */
struct hashtree_source {
	/*
	 * Reads exactly `len` bytes at `offset` of the data area or the hash area (which starts with the
	 * superblock). 0 or a negative errno; the end of the file is one. Called by several threads.
	 */
	int (*read)(void *userdata, enum hashtree_area area, uint64_t offset, void *ret,
		    size_t len);
	void *userdata;
};

/* Which block was wrong, or could not be read. */
struct hashtree_fault {
	enum hashtree_area area;
	unsigned level; /* of the hash tree, from 0, next to the data; of HASHTREE_HASH only */
	uint64_t block;	 /* index in the data, or in its level */
	uint64_t offset; /* bytes from the start of the area */
};

struct hashtree;

/*
 * A tree as its superblock describes it, below the root hash of `root_size` bytes, which the caller trusts.
 * Checked hash blocks are kept in memory, up to `cache_bytes` (at least four). 0 with *ret, which the caller
 * owns; -EBADMSG and *ret_why, a static sentence, where the hash has not the length of the superblock's
 * algorithm (specs: verity.8); -ENOMEM.
 */
int hashtree_new(const struct superblock *sb, const uint8_t *root, size_t root_size,
		 const struct hashtree_source *source, size_t cache_bytes,
		 struct hashtree **ret, const char **ret_why);
void hashtree_free(struct hashtree *t);
DEFINE_CLEANUP(struct hashtree, hashtree_free)

/* What it was made of. */
const struct superblock *hashtree_superblock(const struct hashtree *t);
const struct hashtree_source *hashtree_source(const struct hashtree *t);

/*
 * What one thread needs to check blocks; any number of readers may use one tree at the same time. The tree
 * must outlive it. 0 with *ret, which the caller owns; -ENOMEM, -ENOTSUP (hasher.h).
 */
struct hashtree_reader;
int hashtree_reader_new(struct hashtree *t, struct hashtree_reader **ret);
void hashtree_reader_free(struct hashtree_reader *rd);
DEFINE_CLEANUP(struct hashtree_reader, hashtree_reader_free)

/* Whether the digest of one block of `area` is `expected`: 0, -EBADMSG, or -EIO where libcrypto failed. */
int hashtree_verify_block(struct hashtree_reader *rd, enum hashtree_area area,
			  const void *block, const uint8_t *expected);

/*
 * Whether `data`, a whole block, is data block `block`. Every hash block on the way from the root is read
 * and checked, unless that was done before and it is still in memory; nothing is allocated. 0; -ERANGE for a
 * block that the tree does not cover; -EBADMSG where the data or a hash block is not what it should be;
 * what the source returned; -EIO where libcrypto failed. For all but -ERANGE *ret_fault says where
 * (specs: verity.9, verity.10).
 */
int hashtree_check(struct hashtree_reader *rd, uint64_t block, const void *data,
		   struct hashtree_fault *ret_fault);

struct hashtree_sweep {
	unsigned threads; /* 0: one for each CPU that may be used */
	/* Called now and then, and at the end, by the caller's own thread; negative ends the work. May be NULL. */
	int (*progress)(void *userdata, uint64_t done, uint64_t total); /* data blocks */
	void *userdata;
};

/*
 * Reads and checks all data blocks, and with them every hash block. 0; or what hashtree_check() returns
 * for the first wrong block, whatever the number of threads; or what progress() returned; -ENOMEM,
 * -ENOTSUP. *ret_fault as above (specs: verity.11).
 */
int hashtree_verify_all(struct hashtree *t, const struct hashtree_sweep *sweep,
			struct hashtree_fault *ret_fault);

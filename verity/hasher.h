/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The salted hash of dm-verity's format 1: salt, then block. One for each thread; allocates nothing per block. */
#pragma once

#include "../merge/base.h"

struct hasher;

/*
 * `algorithm` is one that superblock_parse() gives; the salt is copied. 0 with *ret, which the caller owns;
 * -ENOTSUP where libcrypto does not have (or does not allow) the algorithm; -ENOMEM.
 */
int hasher_new(const char *algorithm, const uint8_t *salt, size_t salt_size,
	       struct hasher **ret);

/* Writes the digest of the salt and `len` bytes. 0, or -EIO where libcrypto failed. */
int hasher_digest(struct hasher *h, const void *bytes, size_t len, uint8_t *ret);

/* The same piece by piece: begin, add as often as needed, end. 0 or -EIO. */
int hasher_begin(struct hasher *h);
int hasher_add(struct hasher *h, const void *bytes, size_t len);
int hasher_end(struct hasher *h, uint8_t *ret);

void hasher_free(struct hasher *h);
DEFINE_CLEANUP(struct hasher, hasher_free)

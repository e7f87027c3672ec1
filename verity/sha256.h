/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * SHA-256 of two messages at the same time, by the processor's own instructions. Each of these waits for the one before;
 * with a second message there is work meanwhile, and libcrypto has no such function. It also takes libcrypto
 * longer to load than to hash a few thousand blocks.
 */
#pragma once

#include "../merge/base.h"

#define SHA256_SIZE 32 /* bytes of a digest */

/* The first bytes of all messages, the same ones for each. */
struct sha256;

/*
 * 0 with *ret, which the caller owns; -EOPNOTSUPP where this processor, or this program, does not have the
 * instructions, or they do not give a digest that is known; -ENOMEM.
 */
int sha256_new(const void *prefix, size_t prefix_size, struct sha256 **ret);
void sha256_free(struct sha256 *s);
DEFINE_CLEANUP(struct sha256, sha256_free)

/* Writes the digest of the prefix followed by the `len` bytes. 0 or -EOPNOTSUPP. */
int sha256_one(const struct sha256 *s, const void *bytes, size_t len,
	       uint8_t ret[static SHA256_SIZE]);

/* The same with the `len` bytes at `a`, and with those at `b`, which may be the same. */
int sha256_two(const struct sha256 *s, const void *a, const void *b, size_t len,
	       uint8_t ret_a[static SHA256_SIZE], uint8_t ret_b[static SHA256_SIZE]);

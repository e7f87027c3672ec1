/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* For compilers and processors without such instructions: libcrypto does it. */
#include "sha256.h"

int sha256_new(const void *prefix, size_t prefix_size, struct sha256 **ret) {
	return -EOPNOTSUPP;
}

void sha256_free(struct sha256 *s) {
}

int sha256_one(const struct sha256 *s, const void *bytes, size_t len,
	       uint8_t ret[static SHA256_SIZE]) {
	return -EOPNOTSUPP;
}

int sha256_two(const struct sha256 *s, const void *a, const void *b, size_t len,
	       uint8_t ret_a[static SHA256_SIZE], uint8_t ret_b[static SHA256_SIZE]) {
	return -EOPNOTSUPP;
}

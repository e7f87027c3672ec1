/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Little-endian numbers at any byte offset: how formats on disk are read and written, without struct casts. */
#pragma once

#include <stdint.h>

static inline uint16_t bytes_le16(const uint8_t *p) {
	return (uint16_t)(p[0] | p[1] << 8);
}

static inline uint32_t bytes_le32(const uint8_t *p) {
	return bytes_le16(p) | (uint32_t)bytes_le16(p + 2) << 16;
}

static inline uint64_t bytes_le64(const uint8_t *p) {
	return bytes_le32(p) | (uint64_t)bytes_le32(p + 4) << 32;
}

/* Writes the `n` lower bytes of the number. */
static inline void bytes_put(uint8_t *p, unsigned n, uint64_t number) {
	for (unsigned i = 0; i < n; i++, number >>= 8)
		p[i] = (uint8_t)number;
}

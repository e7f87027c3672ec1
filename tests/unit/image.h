/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Writing images in memory: numbers at offsets, and the checksums of a partition table. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "merge/bytes.h"

static inline void put_le(uint8_t *p, size_t width, uint64_t value) {
	for (size_t i = 0; i < width; i++)
		p[i] = (uint8_t)(value >> (8 * i));
}

/* Bit by bit from the definition of CRC-32 (ISO 3309), so not the code under test. */
static inline uint32_t image_crc32(const uint8_t *p, size_t len) {
	uint32_t crc = UINT32_MAX;

	for (size_t i = 0; i < 8 * len; i++) {
		uint32_t bit = (crc ^ (uint32_t)(p[i / 8] >> (i % 8))) & 1;

		crc = crc >> 1 ^ (bit ? 0xedb88320 : 0);
	}
	return ~crc;
}

/* Makes the checksums of the table right, as far as header and entries are within `len`. */
static inline void gpt_seal(uint8_t *head, size_t len, uint32_t sector_size) {
	uint8_t *header = head + sector_size;
	uint64_t start, n;
	uint32_t header_size;

	if (len < 2 * sector_size)
		return;
	start = bytes_le64(header + 72);
	n = bytes_le32(header + 80) * UINT64_C(128);
	if (start <= len / sector_size && n <= len - start * sector_size)
		put_le(header + 88, 4, image_crc32(head + start * sector_size, n));
	header_size = bytes_le32(header + 12);
	if (header_size < 92 || header_size > sector_size)
		return;
	put_le(header + 16, 4, 0);
	put_le(header + 16, 4, image_crc32(header, header_size));
}

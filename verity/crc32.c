/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The checksum of partition tables. */
#include "crc32.h"

/* Without a table: 128 KiB at most, once per image. */
uint32_t crc32_add(uint32_t crc, const uint8_t *p, size_t len) {
	for (size_t i = 0; i < len; i++) {
		crc ^= p[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
	}
	return crc;
}

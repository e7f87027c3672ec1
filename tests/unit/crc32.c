/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The checksum of partition tables: known values, and in pieces as at once. */

#include "verity/crc32.h"
#include "image.h"
#include "unit.h"

static uint32_t crc(const char *text) {
	return ~crc32_add(UINT32_MAX, (const uint8_t *)text, strlen(text));
}

START_TEST(known_values) {
	ck_assert_uint_eq(crc(""), 0);
	ck_assert_uint_eq(crc("123456789"), 0xcbf43926); /* the check value of CRC-32 */
}
END_TEST

START_TEST(pieces_are_one) {
	uint8_t bytes[1000];

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 7 + i / 256);
	for (size_t n = 0; n <= sizeof(bytes); n += 37)
		ck_assert_uint_eq(~crc32_add(crc32_add(UINT32_MAX, bytes, n), bytes + n,
					     sizeof(bytes) - n),
				  image_crc32(bytes, sizeof(bytes)));
}
END_TEST

int main(void) {
	const TTest *const tests[] = { known_values, pieces_are_one, NULL };

	return unit_main("crc32", tests);
}

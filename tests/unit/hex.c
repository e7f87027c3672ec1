/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Every digit both ways, and what is no digit. */

#include <check.h>
#include <string.h>

#include "unit.h"
#include "verity/hex.h"

START_TEST(every_byte_survives) {
	for (unsigned i = 0; i < 256; i++) {
		uint8_t byte = (uint8_t)i, back = 0;
		char text[3], upper[3];

		hex_encode(&byte, 1, text);
		snprintf(upper, sizeof(upper), "%02X", i);
		ck_assert_int_eq(hex_decode(text, 2, true, &back), 0);
		ck_assert_uint_eq(back, i);
		ck_assert_int_eq(hex_decode(upper, 2, false, &back), 0);
		ck_assert_uint_eq(back, i);
		ck_assert_int_eq(hex_decode(upper, 2, true, &back),
				 strcmp(text, upper) == 0 ? 0 : -EINVAL);
	}
}
END_TEST

START_TEST(others_are_refused) {
	uint8_t byte;

	for (unsigned c = 0; c < 256; c++) {
		const char high[] = { (char)c, '0' }, low[] = { '0', (char)c };
		bool digit = c && strchr("0123456789abcdefABCDEF", (int)c);

		ck_assert_int_eq(hex_decode(high, 2, false, &byte), digit ? 0 : -EINVAL);
		ck_assert_int_eq(hex_decode(low, 2, false, &byte), digit ? 0 : -EINVAL);
	}
	ck_assert_int_eq(hex_decode("0", 1, false, &byte), -EINVAL);
	ck_assert_int_eq(hex_decode("", 0, false, &byte), 0);
}
END_TEST

int main(void) {
	const TTest *const tests[] = { every_byte_survives, others_are_refused, NULL };

	return unit_main("hex", tests);
}

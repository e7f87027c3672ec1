/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Bytes as hexadecimal text. */
#include "hex.h"

static int decode_digit(char c, bool lower) {
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (!lower && c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -EINVAL;
}

int hex_decode(const char *text, size_t len, bool lower, uint8_t *ret) {
	if (len % 2 != 0)
		return -EINVAL;
	for (size_t i = 0; i < len; i += 2) {
		int high = decode_digit(text[i], lower);
		int low = decode_digit(text[i + 1], lower);

		if (high < 0 || low < 0)
			return -EINVAL;
		ret[i / 2] = (uint8_t)(high << 4 | low);
	}
	return 0;
}

void hex_encode(const uint8_t *bytes, size_t len, char *ret) {
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < len; i++) {
		*ret++ = digits[bytes[i] >> 4];
		*ret++ = digits[bytes[i] & 0xf];
	}
	*ret = '\0';
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The writer of signature partitions. */
#include "sigpart.h"

#include <string.h>

#include "../merge/text.h"

/* RFC 4648 section 4; `ret` has room for 4 characters for each 3 bytes begun, and NUL. */
static void encode_base64(const uint8_t *bytes, size_t len, char *ret) {
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	for (size_t i = 0; i < len; i += 3) {
		size_t n = len - i < 3 ? len - i : 3;
		uint32_t bits = 0;

		for (size_t j = 0; j < 3; j++)
			bits = bits << 8 | (j < n ? bytes[i + j] : 0);
		for (size_t j = 0; j < 4; j++, bits <<= 6)
			*ret++ = j <= n ? digits[bits >> 18 & 63] : '=';
	}
	*ret = '\0';
}

int sigpart_format(const char *root_hash, const char *fingerprint, const uint8_t *der,
		   size_t der_size, uint8_t **ret, size_t *ret_size) {
	_cleanup_free_ char *base64 = malloc((der_size + 2) / 3 * 4 + 1), *text = NULL;
	_cleanup_free_ uint8_t *padded = NULL;
	size_t len, size;

	if (!base64)
		return -ENOMEM;
	encode_base64(der, der_size, base64);
	text = text_format(
		"{\"rootHash\":\"%s\",\"certificateFingerprint\":\"%s\",\"signature\":\"%s\"}",
		root_hash, fingerprint, base64);
	if (!text)
		return -ENOMEM;
	len = strlen(text);
	if (len > SIGPART_TEXT_MAX)
		return -EFBIG;
	size = (len + SIGPART_GRAIN) / SIGPART_GRAIN * SIGPART_GRAIN;
	padded = calloc(1, size);
	if (!padded)
		return -ENOMEM;
	memcpy(padded, text, len);
	*ret = TAKE_PTR(padded);
	*ret_size = size;
	return 0;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Any names, texts of hashes and claims: one hash comes out only where all say the same. */

#include <assert.h>
#include <string.h>

#include "verity/hex.h"
#include "verity/sidecar.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check_name(const char *image) {
	for (int i = 0; i < SIDECAR_KIND_COUNT; i++) {
		_cleanup_free_ char *name = NULL;

		if (sidecar_name(image, (enum sidecar_kind)i, &name) < 0)
			continue;
		assert(strncmp(name, image, strlen(image) - 4) == 0);
		assert(name[strlen(image) - 4] == '.' && strchr(name, 0)[-1] != '.');
	}
}

static void check_hash(const char *text, size_t len) {
	uint8_t hash[SIDECAR_HASH_MAX];
	char back[2 * SIDECAR_HASH_MAX + 1];
	const char *why = NULL;
	size_t size = 0;

	if (sidecar_parse_hash(text, len, hash, &size, &why) < 0) {
		assert(why);
		return;
	}
	assert(size >= SIDECAR_HASH_MIN && size <= SIDECAR_HASH_MAX);
	hex_encode(hash, size, back);
	assert(strncasecmp(back, text, 2 * size) == 0);
}

/* Claims of four bytes of input each: origin, designator, size, and a byte that fills the hash. */
static void check_claims(const uint8_t *data, size_t len) {
	struct sidecar_claim claims[8] = { 0 }, one;
	const char *why = NULL;
	size_t n = 0;
	int r;

	for (; n < ARRAY_SIZE(claims) && len >= 4; n++, data += 4, len -= 4) {
		claims[n].origin = data[0] % 4;
		claims[n].designator = data[1] % 2;
		claims[n].size = claims[n].origin == SIDECAR_FROM_UUIDS
					 ? 32
					 : 16 + data[2] % 49;
		memset(claims[n].hash, data[3], claims[n].size);
	}
	r = sidecar_combine(claims, n, &one, &why);
	assert(r == 0 || (r == -ENODATA && n == 0) || (r == -EBADMSG && why));
	for (size_t i = 0; r == 0 && i < n; i++) {
		assert(claims[i].origin <= one.origin);
		assert(claims[i].designator == one.designator);
		assert(claims[i].origin == SIDECAR_FROM_UUIDS ||
		       (claims[i].size == one.size &&
			memcmp(claims[i].hash, one.hash, one.size) == 0));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
	_cleanup_free_ char *text = strndup((const char *)data, len);

	check_name(text);
	check_hash((const char *)data, len);
	check_claims(data, len);
	return 0;
}

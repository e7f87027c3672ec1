/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A running XXH3 of 128 bits that ends as text. It has to notice changes, not to resist somebody who
 * makes two trees of one digest: who may write extensions is root, and what is trusted is decided by
 * verity/, from the bytes. A cryptographic hash would mean to load libcrypto in every run.
 */
#include "digest.h"

#define XXH_INLINE_ALL
#include <string.h>
#include <xxhash.h>

struct digest {
	XXH3_state_t state;
};

int digest_new(struct digest **ret) {
	struct digest *d = aligned_alloc(_Alignof(struct digest), sizeof(*d));

	if (!d)
		return -ENOMEM;
	XXH3_128bits_reset(&d->state);
	*ret = d;
	return 0;
}

void digest_add(struct digest *d, const void *data, size_t len) {
	XXH3_128bits_update(&d->state, data, len);
}

void digest_add_text(struct digest *d, const char *text) {
	digest_add(d, text ? "+" : "-", 1);
	if (text)
		digest_add(d, text, strlen(text) + 1);
}

void digest_finish(const struct digest *d, char ret[static DIGEST_TEXT_MAX]) {
	XXH128_hash_t hash = XXH3_128bits_digest(&d->state);

	snprintf(ret, DIGEST_TEXT_MAX, "%016llx%016llx", (unsigned long long)hash.high64,
		 (unsigned long long)hash.low64);
}

void digest_free(struct digest *d) {
	free(d);
}

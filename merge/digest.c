/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A running SHA-256 that ends as text. By the plain functions, not EVP: those look for a provider and read
 * a configuration file first, which takes longer than a small merge, and OPENSSL_CONF of the caller's
 * environment must not matter.
 */
#define OPENSSL_API_COMPAT 0x10100000L

#include "digest.h"

#include <openssl/sha.h>
#include <string.h>

struct digest {
	SHA256_CTX context;
	bool failed; /* sticky, so that adding needs no check at every call */
};

int digest_new(struct digest **ret) {
	struct digest *d = calloc(1, sizeof(*d));

	if (!d)
		return -ENOMEM;
	d->failed = !SHA256_Init(&d->context);
	*ret = d;
	return 0;
}

void digest_add(struct digest *d, const void *data, size_t len) {
	d->failed |= !SHA256_Update(&d->context, data, len);
}

void digest_add_text(struct digest *d, const char *text) {
	digest_add(d, text ? "+" : "-", 1);
	if (text)
		digest_add(d, text, strlen(text) + 1);
}

int digest_finish(struct digest *d, char ret[static DIGEST_TEXT_MAX]) {
	unsigned char hash[SHA256_DIGEST_LENGTH];

	if (d->failed || !SHA256_Final(hash, &d->context))
		return -EIO;
	for (size_t i = 0; i < sizeof(hash); i++)
		sprintf(ret + i * 2, "%02x", hash[i]);
	return 0;
}

void digest_free(struct digest *d) {
	free(d);
}

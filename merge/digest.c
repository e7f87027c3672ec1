/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A running SHA-256 that ends as text. */
#include "digest.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <string.h>

struct digest {
	EVP_MD_CTX *context;
	bool failed; /* sticky, so that adding needs no check at every call */
};

int digest_new(struct digest **ret) {
	_cleanup_(digest_freep) struct digest *d = calloc(1, sizeof(*d));

	/* No configuration file: OPENSSL_CONF of the caller's environment must not matter. */
	if (!d || !OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL))
		return -ENOMEM;
	d->context = EVP_MD_CTX_new();
	if (!d->context || !EVP_DigestInit_ex(d->context, EVP_sha256(), NULL))
		return -ENOMEM;
	*ret = TAKE_PTR(d);
	return 0;
}

void digest_add(struct digest *d, const void *data, size_t len) {
	d->failed |= !EVP_DigestUpdate(d->context, data, len);
}

void digest_add_text(struct digest *d, const char *text) {
	digest_add(d, text ? "+" : "-", 1);
	if (text)
		digest_add(d, text, strlen(text) + 1);
}

int digest_finish(struct digest *d, char ret[static DIGEST_TEXT_MAX]) {
	unsigned char hash[EVP_MAX_MD_SIZE];
	unsigned n = 0;

	if (d->failed || !EVP_DigestFinal_ex(d->context, hash, &n))
		return -EIO;
	for (unsigned i = 0; i < n; i++)
		sprintf(ret + (size_t)i * 2, "%02x", hash[i]);
	return 0;
}

void digest_free(struct digest *d) {
	if (!d)
		return;
	EVP_MD_CTX_free(d->context);
	free(d);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The salted hash by libcrypto. The digest is looked up once: a context is initialised again without that. */
#include "hasher.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <string.h>

#include "libcrypto.h"

struct hasher {
	EVP_MD_CTX *context;
	size_t salt_size;
	uint8_t salt[];
};

static const EVP_MD *find_type(const char *name) {
	if (strcmp(name, "sha256") == 0)
		return EVP_sha256();
	if (strcmp(name, "sha384") == 0)
		return EVP_sha384();
	return strcmp(name, "sha512") == 0 ? EVP_sha512() : NULL;
}

int hasher_new(const char *algorithm, const uint8_t *salt, size_t salt_size,
	       struct hasher **ret) {
	_cleanup_(hasher_freep) struct hasher *h = calloc(1, sizeof(*h) + salt_size);
	const EVP_MD *type = find_type(algorithm);

	if (!type)
		return -ENOTSUP;
	/* No configuration file: OPENSSL_CONF of the caller's environment must not matter. */
	if (!h || !OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL))
		return -ENOMEM;
	h->context = EVP_MD_CTX_new();
	if (!h->context)
		return -ENOMEM;
	if (!EVP_DigestInit_ex(h->context, type, NULL))
		return -ENOTSUP;
	h->salt_size = salt_size;
	if (salt_size > 0)
		memcpy(h->salt, salt, salt_size);
	*ret = TAKE_PTR(h);
	return 0;
}

int hasher_begin(struct hasher *h) {
	if (!EVP_DigestInit_ex(h->context, NULL, NULL))
		return -EIO;
	return hasher_add(h, h->salt, h->salt_size);
}

int hasher_add(struct hasher *h, const void *bytes, size_t len) {
	return EVP_DigestUpdate(h->context, bytes, len) ? 0 : -EIO;
}

int hasher_end(struct hasher *h, uint8_t *ret) {
	return EVP_DigestFinal_ex(h->context, ret, NULL) ? 0 : -EIO;
}

int hasher_digest(struct hasher *h, const void *bytes, size_t len, uint8_t *ret) {
	int r = hasher_begin(h);

	if (r == 0)
		r = hasher_add(h, bytes, len);
	return r < 0 ? r : hasher_end(h, ret);
}

void hasher_free(struct hasher *h) {
	if (!h)
		return;
	EVP_MD_CTX_free(h->context);
	free(h);
}

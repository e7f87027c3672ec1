/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The salted hash by libcrypto. The digest is looked up once: a context is initialised again without that. */
#include "hasher.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <string.h>

struct hasher {
	EVP_MD_CTX *context;
	size_t salt_size;
	uint8_t salt[];
};

static const struct {
	const char *name;
	const EVP_MD *(*type)(void);
} algorithms[] = {
	{ "sha256", EVP_sha256 },
	{ "sha384", EVP_sha384 },
	{ "sha512", EVP_sha512 },
};

static const EVP_MD *find_type(const char *name) {
	for (size_t i = 0; i < ARRAY_SIZE(algorithms); i++)
		if (strcmp(name, algorithms[i].name) == 0)
			return algorithms[i].type();
	return NULL;
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

int hasher_digest(struct hasher *h, const void *bytes, size_t len, uint8_t *ret) {
	if (!EVP_DigestInit_ex(h->context, NULL, NULL) ||
	    !EVP_DigestUpdate(h->context, h->salt, h->salt_size) ||
	    !EVP_DigestUpdate(h->context, bytes, len) ||
	    !EVP_DigestFinal_ex(h->context, ret, NULL))
		return -EIO;
	return 0;
}

void hasher_free(struct hasher *h) {
	if (!h)
		return;
	EVP_MD_CTX_free(h->context);
	free(h);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The salted hash by libcrypto, where the digest is looked up once: a context is initialised again without that. Or, for
 * SHA-256 of whole messages, by sha256.h; then libcrypto is loaded only if something is hashed piece by piece.
 */
#include "hasher.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <string.h>

#include "libcrypto.h"
#include "sha256.h"

struct hasher {
	struct sha256 *own;  /* or NULL */
	EVP_MD_CTX *context; /* or NULL, as long as `own` is enough */
	size_t digest_size, salt_size;
	uint8_t salt[];
};

static const struct {
	const char *name;
	size_t digest_size;
} algorithms[] = {
	{ "sha256", SHA256_SIZE },
	{ "sha384", 48 },
	{ "sha512", HASHER_SIZE_MAX },
};

/* libcrypto's, by the length of the digest. */
static const EVP_MD *find_type(size_t digest_size) {
	if (digest_size == SHA256_SIZE)
		return EVP_sha256();
	return digest_size == HASHER_SIZE_MAX ? EVP_sha512() : EVP_sha384();
}

static int make_context(struct hasher *h) {
	/* No configuration file: OPENSSL_CONF of the caller's environment must not matter. */
	if (!OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL))
		return -ENOMEM;
	h->context = EVP_MD_CTX_new();
	if (!h->context)
		return -ENOMEM;
	if (EVP_DigestInit_ex(h->context, find_type(h->digest_size), NULL))
		return 0;
	EVP_MD_CTX_free(h->context);
	h->context = NULL;
	return -ENOTSUP;
}

int hasher_new(const char *algorithm, const uint8_t *salt, size_t salt_size,
	       struct hasher **ret) {
	_cleanup_(hasher_freep) struct hasher *h = calloc(1, sizeof(*h) + salt_size);
	int r = -EOPNOTSUPP;

	if (!h)
		return -ENOMEM;
	for (size_t i = 0; i < ARRAY_SIZE(algorithms); i++)
		if (strcmp(algorithm, algorithms[i].name) == 0)
			h->digest_size = algorithms[i].digest_size;
	if (h->digest_size == 0)
		return -ENOTSUP;
	h->salt_size = salt_size;
	if (salt_size > 0)
		memcpy(h->salt, salt, salt_size);
	if (h->digest_size == SHA256_SIZE)
		r = sha256_new(salt, salt_size, &h->own);
	if (r == -EOPNOTSUPP)
		r = make_context(h);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(h);
	return 0;
}

int hasher_begin(struct hasher *h) {
	int r = h->context ? 0 : make_context(h);

	if (r < 0)
		return r;
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
	int r;

	if (h->own)
		return sha256_one(h->own, bytes, len, ret);
	r = hasher_begin(h);
	if (r == 0)
		r = hasher_add(h, bytes, len);
	return r < 0 ? r : hasher_end(h, ret);
}

int hasher_digest_two(struct hasher *h, const void *a, const void *b, size_t len,
		      uint8_t *ret_a, uint8_t *ret_b) {
	int r;

	if (h->own)
		return sha256_two(h->own, a, b, len, ret_a, ret_b);
	r = hasher_digest(h, a, len, ret_a);
	return r < 0 ? r : hasher_digest(h, b, len, ret_b);
}

void hasher_free(struct hasher *h) {
	if (!h)
		return;
	sha256_free(h->own);
	if (h->context)
		EVP_MD_CTX_free(h->context);
	free(h);
}

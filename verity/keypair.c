/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Signing by libcrypto: the one place where a private key is in memory. */
#include "keypair.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/pkcs7.h>
#include <openssl/x509.h>
#include <string.h>

#include "libcrypto.h"

DEFINE_CLEANUP(BIO, BIO_free)
DEFINE_CLEANUP(PKCS7, PKCS7_free)

#define SIGN_FLAGS (PKCS7_BINARY | PKCS7_DETACHED | PKCS7_NOATTR | PKCS7_NOCERTS)

struct keypair {
	struct cert *certificate;
	X509 *x509;
	EVP_PKEY *key;
};

/* How libcrypto's question for a passphrase went. */
struct question {
	keypair_ask_t ask;
	void *userdata;
	bool was_asked;
	int error;
};

static int refuse(const char **ret_why, int error, const char *why) {
	*ret_why = why;
	return error;
}

static int answer(char *buffer, int size, int writing, void *userdata) {
	struct question *q = userdata;
	int r = q->ask(q->userdata, buffer, (size_t)size);

	(void)writing;
	q->was_asked = true;
	if (r < 0)
		q->error = r;
	return r;
}

static int read_key(struct keypair *k, const char *pem, size_t len, struct question *q,
		    const char **ret_why) {
	_cleanup_(BIO_freep) BIO *bio = BIO_new_mem_buf(pem, (int)len);

	if (!bio)
		return -ENOMEM;
	k->key = PEM_read_bio_PrivateKey(bio, NULL, answer, q);
	if (k->key)
		return 0;
	if (q->error < 0)
		return q->error;
	return q->was_asked ? refuse(ret_why, -EKEYREJECTED,
				     "the passphrase is not that of the key")
			    : refuse(ret_why, -EBADMSG, "it has no private key in PEM");
}

static int read_certificate(struct keypair *k, const char *pem, size_t len,
			    const char **ret_why) {
	_cleanup_(BIO_freep) BIO *bio = BIO_new_mem_buf(pem, (int)len);
	int r = cert_parse(pem, len, &k->certificate, ret_why);

	if (r < 0)
		return r;
	k->x509 = bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
	if (!k->x509)
		return -ENOMEM;
	if (k->certificate->weakness)
		return refuse(ret_why, -EPROTONOSUPPORT, k->certificate->weakness);
	return 0;
}

static int read_both(struct keypair *k, const char *key, size_t key_size,
		     const char *certificate, size_t certificate_size, struct question *q,
		     const char **ret_why) {
	int r = read_certificate(k, certificate, certificate_size, ret_why);

	if (r == 0)
		r = read_key(k, key, key_size, q, ret_why);
	if (r == 0 && !X509_check_private_key(k->x509, k->key))
		r = refuse(ret_why, -ENOKEY, "it is not the key of the certificate");
	return r;
}

int keypair_read(const char *key, size_t key_size, const char *certificate,
		 size_t certificate_size, keypair_ask_t ask, void *userdata,
		 struct keypair **ret, const char **ret_why) {
	_cleanup_(keypair_freep) struct keypair *k = calloc(1, sizeof(*k));
	struct question q = { .ask = ask, .userdata = userdata };
	int r;

	/* No configuration file: OPENSSL_CONF of the caller's environment must not matter. */
	if (!k || !OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL))
		return -ENOMEM;
	ERR_set_mark();
	r = read_both(k, key, key_size, certificate, certificate_size, &q, ret_why);
	ERR_pop_to_mark();
	if (r == 0)
		*ret = TAKE_PTR(k);
	return r;
}

const struct cert *keypair_certificate(const struct keypair *k) {
	return k->certificate;
}

bool keypair_is_deterministic(const struct keypair *k) {
	return k->certificate->algorithm == PKCS7_RSA;
}

/* i2d_PKCS7() would leave libcrypto's memory to the caller. */
static int take_der(PKCS7 *p7, uint8_t **ret, size_t *ret_size) {
	int len = i2d_PKCS7(p7, NULL);
	uint8_t *der = len > 0 ? malloc((size_t)len) : NULL, *at = der;

	if (!der)
		return len > 0 ? -ENOMEM : -EIO;
	i2d_PKCS7(p7, &at);
	*ret = der;
	*ret_size = (size_t)len;
	return 0;
}

int keypair_sign(const struct keypair *k, const char *text, uint8_t **ret,
		 size_t *ret_size) {
	_cleanup_(BIO_freep) BIO *bio = BIO_new_mem_buf(text, -1);
	_cleanup_(PKCS7_freep) PKCS7 *p7 = NULL;
	int r = -EIO;

	if (!bio)
		return -ENOMEM;
	ERR_set_mark();
	p7 = PKCS7_sign(NULL, NULL, NULL, bio, SIGN_FLAGS | PKCS7_PARTIAL);
	if (p7 && PKCS7_sign_add_signer(p7, k->x509, k->key, EVP_sha256(), SIGN_FLAGS) &&
	    PKCS7_final(p7, bio, SIGN_FLAGS))
		r = take_der(p7, ret, ret_size);
	ERR_pop_to_mark();
	return r;
}

void keypair_free(struct keypair *k) {
	if (!k)
		return;
	cert_free(k->certificate);
	X509_free(k->x509);
	EVP_PKEY_free(k->key);
	free(k);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Keys, certificates and signatures, made by libcrypto while the test runs: no secret is in the tree. */
#pragma once

#include <check.h>
#include <openssl/bio.h>
#include <openssl/cms.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/pkcs7.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <string.h>

#include "blob.h"
#include "merge/base.h"

#define SIGNING_EPOCH INT64_C(1700000000) /* when certificates begin here */
#define SIGNING_DAY 86400

/* As the code under test: who comes first decides for the process. */
static inline void signing_begin(void) {
	ck_assert(OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL));
}

static inline EVP_PKEY *signing_generate(EVP_PKEY_CTX *context) {
	EVP_PKEY *key = NULL;

	ck_assert_int_eq(EVP_PKEY_keygen(context, &key), 1);
	EVP_PKEY_CTX_free(context);
	return key;
}

static inline EVP_PKEY_CTX *signing_context(int type) {
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_id(type, NULL);

	ck_assert_ptr_nonnull(context);
	ck_assert_int_eq(EVP_PKEY_keygen_init(context), 1);
	return context;
}

static inline EVP_PKEY *signing_rsa(int bits) {
	EVP_PKEY_CTX *context = signing_context(EVP_PKEY_RSA);

	ck_assert_int_eq(EVP_PKEY_CTX_set_rsa_keygen_bits(context, bits), 1);
	return signing_generate(context);
}

/* `encoding`: OPENSSL_EC_NAMED_CURVE or OPENSSL_EC_EXPLICIT_CURVE. */
static inline EVP_PKEY *signing_ec(int curve, int encoding) {
	EVP_PKEY_CTX *context = signing_context(EVP_PKEY_EC);

	ck_assert_int_eq(EVP_PKEY_CTX_set_ec_paramgen_curve_nid(context, curve), 1);
	ck_assert_int_eq(EVP_PKEY_CTX_set_ec_param_enc(context, encoding), 1);
	return signing_generate(context);
}

static inline void signing_add_name(X509 *x, const char *field, const char *value) {
	X509_NAME *name = X509_get_subject_name(x);

	ck_assert_int_eq(X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8,
						    (const unsigned char *)value, -1, -1,
						    0),
			 1);
}

/* A certificate of `key` that nobody has signed yet: CN `name`, by itself, for a day. */
static inline X509 *signing_draft(EVP_PKEY *key, const char *name, long serial) {
	X509 *x = X509_new();

	ck_assert_ptr_nonnull(x);
	ck_assert_int_eq(X509_set_version(x, 2), 1);
	ck_assert_int_eq(ASN1_INTEGER_set(X509_get_serialNumber(x), serial), 1);
	ASN1_TIME_set(X509_getm_notBefore(x), SIGNING_EPOCH);
	ASN1_TIME_set(X509_getm_notAfter(x), SIGNING_EPOCH + SIGNING_DAY);
	if (name)
		signing_add_name(x, "CN", name);
	ck_assert_int_eq(X509_set_issuer_name(x, X509_get_subject_name(x)), 1);
	ck_assert_int_eq(X509_set_pubkey(x, key), 1);
	return x;
}

static inline X509 *signing_finish(X509 *x, EVP_PKEY *by) {
	bool is_edwards = EVP_PKEY_base_id(by) == EVP_PKEY_ED25519;

	ck_assert_int_gt(X509_sign(x, by, is_edwards ? NULL : EVP_sha256()), 0);
	return x;
}

static inline X509 *signing_certificate(EVP_PKEY *key, const char *name, long serial) {
	return signing_finish(signing_draft(key, name, serial), key);
}

static inline struct blob signing_der(X509 *x) {
	struct blob b = { .len = 0 };
	unsigned char *p = b.data;
	int len = i2d_X509(x, NULL);

	ck_assert(len > 0 && (size_t)len <= sizeof(b.data));
	i2d_X509(x, &p);
	b.len = (size_t)len;
	return b;
}

/* A PEM block with the type `name`. The caller owns the text. */
static inline char *signing_pem(const char *name, const struct blob *der) {
	BIO *bio = BIO_new(BIO_s_mem());
	char *data, *text;
	long len;

	ck_assert_int_gt(PEM_write_bio(bio, name, "", der->data, (long)der->len), 0);
	len = BIO_get_mem_data(bio, &data);
	text = strndup(data, (size_t)len);
	BIO_free(bio);
	return text;
}

static inline char *signing_certificate_pem(X509 *x) {
	struct blob der = signing_der(x);

	return signing_pem("CERTIFICATE", &der);
}

static inline struct blob signing_take(PKCS7 *p7) {
	struct blob b = { .len = 0 };
	unsigned char *p = b.data;
	int len = i2d_PKCS7(p7, NULL);

	ck_assert(len > 0 && (size_t)len <= sizeof(b.data));
	i2d_PKCS7(p7, &p);
	PKCS7_free(p7);
	b.len = (size_t)len;
	return b;
}

#define SIGNING_FLAGS (PKCS7_DETACHED | PKCS7_BINARY | PKCS7_NOATTR | PKCS7_NOCERTS)

struct signing_signer {
	X509 *certificate;
	EVP_PKEY *key;
	const EVP_MD *md;
};

/* A signature over `text` by all of `signers` (up to an entry without key). */
static inline struct blob signing_sign(const struct signing_signer *signers,
				       const char *text, int flags) {
	BIO *bio = BIO_new_mem_buf(text, -1);
	PKCS7 *p7 = PKCS7_sign(NULL, NULL, NULL, bio, flags | PKCS7_PARTIAL);

	ck_assert_ptr_nonnull(p7);
	for (; signers->key; signers++)
		ck_assert_ptr_nonnull(PKCS7_sign_add_signer(p7, signers->certificate,
							    signers->key, signers->md,
							    flags));
	ck_assert_int_eq(PKCS7_final(p7, bio, flags), 1);
	BIO_free(bio);
	return signing_take(p7);
}

/* What systemd does (PKCS7_NOINTERN | PKCS7_NOVERIFY): whether it would accept. */
static inline bool signing_openssl_accepts(const struct blob *signature, const char *text,
					   X509 *trusted) {
	const unsigned char *p = signature->data;
	PKCS7 *p7 = d2i_PKCS7(NULL, &p, (long)signature->len);
	BIO *bio = BIO_new_mem_buf(text, -1);
	STACK_OF(X509) *certificates = sk_X509_new_null();
	int r;

	sk_X509_push(certificates, trusted);
	r = p7 ? PKCS7_verify(p7, certificates, NULL, bio, NULL,
			      PKCS7_NOINTERN | PKCS7_NOVERIFY)
	       : 0;
	sk_X509_free(certificates);
	BIO_free(bio);
	PKCS7_free(p7);
	return r == 1;
}

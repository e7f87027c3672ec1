/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One X.509 certificate that is trusted. The only user of libcrypto's certificates and keys. */
#include "cert.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <string.h>
#include <time.h>

#include "../merge/text.h"
#include "hasher.h"
#include "hex.h"
#include "libcrypto.h"

#define RSA_BITS_MIN 2048
#define RSA_BITS_MAX 8192

DEFINE_CLEANUP(BIO, BIO_free)
DEFINE_CLEANUP(X509, X509_free)
DEFINE_CLEANUP(EVP_MD_CTX, EVP_MD_CTX_free)

/* The parts of a PEM block; libcrypto's memory. */
struct block {
	char *name, *header;
	unsigned char *data;
	long len;
};

static void block_done(struct block *b) {
	OPENSSL_free(b->name);
	OPENSSL_free(b->header);
	OPENSSL_free(b->data);
	*b = (struct block){ 0 };
}

static int refuse(const char **ret_why, const char *why) {
	*ret_why = why;
	return -EBADMSG;
}

/* The first block of the text that is a certificate; others, such as keys, are passed over. */
static int find_block(const char *pem, size_t len, struct block *b, const char **ret_why) {
	_cleanup_(BIO_freep) BIO *bio = BIO_new_mem_buf(pem, (int)len);

	if (!bio)
		return -ENOMEM;
	while (PEM_read_bio(bio, &b->name, &b->header, &b->data, &b->len)) {
		if (strcmp(b->name, PEM_STRING_X509) == 0 ||
		    strcmp(b->name, PEM_STRING_X509_OLD) == 0)
			return b->header[0]
				       ? refuse(ret_why, "its certificate is encrypted")
				       : 0;
		block_done(b);
	}
	return refuse(ret_why, "it has no certificate in PEM");
}

/* What is compared with signatures is taken from the very bytes (RFC 5280 4.1), not encoded anew. */
static bool find_names(struct cert *c, size_t len) {
	struct der all = { c->der, len }, certificate, tbs, ignored;

	if (!der_take(&all, DER_SEQUENCE, &certificate) ||
	    !der_take(&certificate, DER_SEQUENCE, &tbs))
		return false;
	der_take(&tbs, DER_CONTEXT_0, &ignored); /* the version */
	return der_take(&tbs, DER_INTEGER, &c->serial) &&
	       der_take(&tbs, DER_SEQUENCE, &ignored) &&
	       der_take_whole(&tbs, DER_SEQUENCE, &c->issuer);
}

static bool read_time(const ASN1_TIME *time, int64_t *ret) {
	struct tm tm;

	if (!ASN1_TIME_to_tm(time, &tm))
		return false;
	*ret = timegm(&tm);
	return true;
}

/* A NUL is shown as another control character: nothing hides behind it. */
static void replace_nul(unsigned char *text, int len) {
	for (int i = 0; i < len; i++)
		if (text[i] == '\0')
			text[i] = 1;
}

/* Cuts UTF-8 behind so many characters; whether anything was cut. */
static bool cut(unsigned char *text, size_t characters) {
	for (; *text; text++)
		if ((*text & 0xc0) != 0x80 && characters-- == 0) {
			*text = '\0';
			return true;
		}
	return false;
}

static int show_name(unsigned char *text, int len, struct signer *s) {
	_cleanup_free_ char *escaped = NULL;
	bool is_cut;

	replace_nul(text, len);
	is_cut = cut(text, CERT_SUBJECT_CHARACTERS);
	escaped = text_escape((char *)text);
	if (!escaped)
		return -ENOMEM;
	snprintf(s->subject, sizeof(s->subject), "%s%s", escaped, is_cut ? "..." : "");
	return 0;
}

/* The last common name, which is the most specific one. Without one the subject stays empty. */
static int read_subject(X509_NAME *name, struct signer *s) {
	const ASN1_STRING *value = NULL;
	unsigned char *text = NULL;
	int len, r, at = -1;

	while ((at = X509_NAME_get_index_by_NID(name, NID_commonName, at)) >= 0)
		value = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at));
	len = value ? ASN1_STRING_to_UTF8(&text, value) : -1;
	if (len < 0)
		return 0;
	r = show_name(text, len, s);
	OPENSSL_free(text);
	return r;
}

static int read_fingerprint(const struct cert *c, size_t len,
			    char ret[static CERT_FINGERPRINT_MAX]) {
	_cleanup_(hasher_freep) struct hasher *h = NULL;
	uint8_t hash[32];
	int r = hasher_new("sha256", NULL, 0, &h);

	if (r == 0)
		r = hasher_digest(h, c->der, len, hash);
	if (r == 0)
		hex_encode(hash, sizeof(hash), ret);
	return r;
}

/* RFC 8017 A.1.1. With an exponent of 1 everybody could sign. */
static bool has_good_exponent(const unsigned char *key, size_t len) {
	struct der left = { key, len }, sequence, n, e;
	const char *why;

	if (der_check(key, len, &why) < 0 || !der_take(&left, DER_SEQUENCE, &sequence) ||
	    !der_take(&sequence, DER_INTEGER, &n) || !der_take(&sequence, DER_INTEGER, &e))
		return false;
	return e.data[0] < 0x80 && e.data[e.len - 1] & 1 &&
	       !(e.len == 1 && e.data[0] == 1);
}

static const char *check_rsa(int bits, const unsigned char *key, int len) {
	if (bits < RSA_BITS_MIN)
		return "its RSA key has fewer than 2048 bits";
	if (bits > RSA_BITS_MAX)
		return "its RSA key has more than 8192 bits";
	if (!has_good_exponent(key, (size_t)len))
		return "its RSA key has an impossible exponent";
	return NULL;
}

/* Curves are named; parameters that describe one are none of these two. */
static const char *check_curve(const X509_ALGOR *algorithm) {
	const void *value = NULL;
	int type = V_ASN1_UNDEF, curve = NID_undef;

	X509_ALGOR_get0(NULL, &type, &value, algorithm);
	if (type == V_ASN1_OBJECT)
		curve = OBJ_obj2nid(value);
	if (curve != NID_X9_62_prime256v1 && curve != NID_secp384r1)
		return "its elliptic curve is neither P-256 nor P-384";
	return NULL;
}

static const char *check_key(X509 *x, EVP_PKEY *key, enum pkcs7_algorithm *ret) {
	X509_PUBKEY *public = X509_get_X509_PUBKEY(x);
	ASN1_OBJECT *oid = NULL;
	const unsigned char *bytes = NULL;
	X509_ALGOR *algorithm = NULL;
	int len = 0;

	if (!key || !X509_PUBKEY_get0_param(&oid, &bytes, &len, &algorithm, public))
		return "its key cannot be read";
	switch (OBJ_obj2nid(oid)) {
	case NID_rsaEncryption:
		*ret = PKCS7_RSA;
		return check_rsa(EVP_PKEY_bits(key), bytes, len);
	case NID_X9_62_id_ecPublicKey:
		*ret = PKCS7_ECDSA;
		return check_curve(algorithm);
	default:
		return "its key is neither RSA nor ECDSA";
	}
}

static int read_key(struct cert *c, X509 *x) {
	EVP_PKEY *key = X509_get0_pubkey(x);

	c->weakness = check_key(x, key, &c->algorithm);
	if (key && EVP_PKEY_up_ref(key))
		c->key = key;
	return key && !c->key ? -ENOMEM : 0;
}

static int read_x509(struct cert *c, size_t len, const char **ret_why) {
	_cleanup_(X509_freep) X509 *x = NULL;
	const unsigned char *p = c->der;
	int r;

	if (der_check(c->der, len, ret_why) < 0 || !find_names(c, len))
		return refuse(ret_why, "its certificate is not exact DER");
	x = d2i_X509(NULL, &p, (long)len);
	if (!x || p != c->der + len)
		return refuse(ret_why, "its certificate is malformed");
	if (!read_time(X509_get0_notBefore(x), &c->signer.not_before) ||
	    !read_time(X509_get0_notAfter(x), &c->signer.not_after))
		return refuse(ret_why, "its dates are malformed");
	r = read_subject(X509_get_subject_name(x), &c->signer);
	if (r == 0)
		r = read_fingerprint(c, len, c->signer.fingerprint);
	return r < 0 ? r : read_key(c, x);
}

int cert_parse(const char *pem, size_t len, struct cert **ret, const char **ret_why) {
	_cleanup_(cert_freep) struct cert *c = calloc(1, sizeof(*c));
	_cleanup_(block_done) struct block block = { 0 };
	int r;

	if (!library_demand(&crypto))
		return -ELIBACC;
	/* No configuration file: OPENSSL_CONF of the caller's environment must not matter. */
	if (!c || !OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL))
		return -ENOMEM;
	if (len > CERT_SIZE_MAX)
		return refuse(ret_why, "it is larger than 64 KiB");
	ERR_set_mark();
	r = find_block(pem, len, &block, ret_why);
	if (r == 0) {
		c->der = TAKE_PTR(block.data);
		r = read_x509(c, (size_t)block.len, ret_why);
	}
	ERR_pop_to_mark();
	if (r == 0)
		*ret = TAKE_PTR(c);
	return r;
}

static int verify(const struct cert *c, const EVP_MD *md, const void *data, size_t len,
		  const struct der *signature) {
	_cleanup_(EVP_MD_CTX_freep) EVP_MD_CTX *context = EVP_MD_CTX_new();
	EVP_PKEY_CTX *key_context = NULL; /* owned by `context` */

	if (!context || !c->key ||
	    EVP_DigestVerifyInit(context, &key_context, md, NULL, c->key) <= 0)
		return -EIO;
	if (c->algorithm == PKCS7_RSA &&
	    EVP_PKEY_CTX_set_rsa_padding(key_context, RSA_PKCS1_PADDING) <= 0)
		return -EIO;
	if (EVP_DigestVerify(context, signature->data, signature->len, data, len) != 1)
		return -EKEYREJECTED;
	return 0;
}

int cert_verify(const struct cert *c, enum pkcs7_digest digest, const void *data,
		size_t len, const struct der *signature) {
	const EVP_MD *const digests[PKCS7_DIGEST_COUNT] = {
		[PKCS7_SHA256] = EVP_sha256(),
		[PKCS7_SHA384] = EVP_sha384(),
		[PKCS7_SHA512] = EVP_sha512(),
	};
	int r;

	ERR_set_mark();
	r = verify(c, digests[digest], data, len, signature);
	ERR_pop_to_mark();
	return r;
}

void cert_free(struct cert *c) {
	if (!c)
		return;
	EVP_PKEY_free(c->key);
	OPENSSL_free(c->der);
	free(c);
}

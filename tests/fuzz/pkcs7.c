/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Any signature: what the gate accepts has one end, lies within the input, and libcrypto reads the same in it. */

#include <assert.h>
#include <openssl/objects.h>
#include <openssl/pkcs7.h>
#include <openssl/x509.h>
#include <string.h>

#include "verity/pkcs7.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check_within(const struct der *d, const uint8_t *data, size_t len) {
	assert(d->data >= data && d->len > 0 && d->len <= len);
	assert((size_t)(d->data - data) <= len - d->len);
}

/* One byte less or more is another document, and no good one. */
static void check_end(const uint8_t *data, size_t len) {
	_cleanup_free_ uint8_t *other = malloc(len + 1);
	const char *why = NULL;
	struct pkcs7 p;

	memcpy(other, data, len);
	other[len] = data[0];
	assert(pkcs7_parse(other, len + 1, &p, &why) < 0 && why);
	assert(pkcs7_parse(other, len - 1, &p, &why) < 0);
}

static void check_signer(const struct pkcs7 *p, PKCS7_SIGNER_INFO *si) {
	static const int digests[] = { NID_sha256, NID_sha384, NID_sha512 };
	unsigned char *issuer = NULL;
	X509_ALGOR *digest = NULL, *algorithm = NULL;
	int len = i2d_X509_NAME(si->issuer_and_serial->issuer, &issuer);

	PKCS7_SIGNER_INFO_get0_algs(si, NULL, &digest, &algorithm);
	assert(OBJ_obj2nid(digest->algorithm) == digests[p->digest]);
	assert(len > 0 && (size_t)len == p->issuer.len);
	assert(memcmp(issuer, p->issuer.data, p->issuer.len) == 0);
	assert((size_t)si->enc_digest->length == p->signature.len);
	assert(memcmp(si->enc_digest->data, p->signature.data, p->signature.len) == 0);
	assert(!si->auth_attr && !si->unauth_attr);
	OPENSSL_free(issuer);
}

/* libcrypto also looks into what we skip, so it may refuse what we accept; it must not differ. */
static void check_libcrypto(const struct pkcs7 *p, const uint8_t *data, size_t len) {
	const uint8_t *end = data;
	PKCS7 *p7 = d2i_PKCS7(NULL, &end, (long)len);

	if (!p7)
		return;
	assert(end == data + len && PKCS7_type_is_signed(p7) && PKCS7_is_detached(p7));
	assert(sk_PKCS7_SIGNER_INFO_num(PKCS7_get_signer_info(p7)) == 1);
	check_signer(p, sk_PKCS7_SIGNER_INFO_value(PKCS7_get_signer_info(p7), 0));
	PKCS7_free(p7);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
	const char *why = NULL, *der_why = NULL;
	struct pkcs7 p;
	int r = pkcs7_parse(data, len, &p, &why);

	assert(r == 0 || r == -EBADMSG || r == -EPROTONOSUPPORT);
	assert((r < 0) == (why != NULL));
	if (r == -EPROTONOSUPPORT)
		assert(der_check(data, len, &der_why) == 0);
	if (r < 0)
		return 0;
	check_within(&p.issuer, data, len);
	check_within(&p.serial, data, len);
	check_within(&p.signature, data, len);
	check_end(data, len);
	check_libcrypto(&p, data, len);
	return 0;
}

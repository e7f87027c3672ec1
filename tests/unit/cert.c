/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Proves what a trusted certificate is read as, which keys are weak, and what they verify (specs: certs.6). */
#include "verity/cert.h"

#include "signing.h"
#include "unit.h"

#define NO_PEM "it has no certificate in PEM"
#define NOT_DER "its certificate is not exact DER"
#define MALFORMED "its certificate is malformed"

static EVP_PKEY *key; /* P-256, for all that is not about keys */

static void setup(void) {
	signing_begin();
	key = signing_ec(NID_X9_62_prime256v1, OPENSSL_EC_NAMED_CURVE);
}

static void teardown(void) {
	EVP_PKEY_free(key);
}

static struct cert *read_good(const char *pem) {
	const char *why = NULL;
	struct cert *c = NULL;

	ck_assert_msg(cert_parse(pem, strlen(pem), &c, &why) == 0, "refused: %s", why);
	ck_assert_ptr_null(why);
	return c;
}

static struct cert *read_x509(X509 *x) {
	_cleanup_free_ char *pem = signing_certificate_pem(x);

	X509_free(x);
	return read_good(pem);
}

static void check_refused(const char *pem, size_t len, const char *expected) {
	struct cert *c = NULL;
	const char *why = NULL;

	ck_assert_int_eq(cert_parse(pem, len, &c, &why), -EBADMSG);
	ck_assert_str_eq(why, expected);
	ck_assert_ptr_null(c);
}

static void check_der_refused(const struct blob *der, const char *expected) {
	_cleanup_free_ char *pem = signing_pem("CERTIFICATE", der);

	check_refused(pem, strlen(pem), expected);
}

START_TEST(fields_are_read) {
	X509 *x = signing_certificate(key, "extension signer", 0x1234);
	unsigned char digest[EVP_MAX_MD_SIZE];
	char hex[CERT_FINGERPRINT_MAX];
	unsigned n = 0;

	X509_digest(x, EVP_sha256(), digest, &n);
	for (unsigned i = 0; i < n; i++)
		sprintf(hex + (size_t)2 * i, "%02x", digest[i]);
	_cleanup_(cert_freep) struct cert *c = read_x509(x);

	ck_assert_str_eq(c->signer.subject, "extension signer");
	ck_assert_str_eq(c->signer.fingerprint, hex);
	ck_assert_int_eq(c->signer.not_before, SIGNING_EPOCH);
	ck_assert_int_eq(c->signer.not_after, SIGNING_EPOCH + SIGNING_DAY);
	ck_assert_pstr_eq(c->weakness, NULL);
	ck_assert_int_eq(c->algorithm, PKCS7_ECDSA);
	ck_assert_uint_eq(c->serial.len, 2);
	ck_assert_mem_eq(c->serial.data, "\x12\x34", 2);
	ck_assert_uint_eq(c->issuer.data[0], DER_SEQUENCE);
	cert_free(NULL);
}
END_TEST

/* Version 1 has no [0] in front of the serial number; dates may be before 1970 and after 2050. */
START_TEST(old_and_far) {
	X509 *x = signing_draft(key, "a", 0);

	X509_set_version(x, 0);
	ASN1_TIME_set(X509_getm_notBefore(x), -SIGNING_DAY);
	ASN1_TIME_set_string(X509_getm_notAfter(x), "99991231235959Z");
	_cleanup_(cert_freep) struct cert *c = read_x509(signing_finish(x, key));

	ck_assert_int_eq(c->signer.not_before, -SIGNING_DAY);
	ck_assert_int_eq(c->signer.not_after, INT64_C(253402300799));
	ck_assert_uint_eq(c->serial.len, 1);
	ck_assert_uint_eq(c->serial.data[0], 0);
}
END_TEST

#define TEN "0123456789"
#define SIXTY_FOUR TEN TEN TEN TEN TEN TEN "0123"

static const struct {
	const char *name, *shown;
} names[] = {
	{ NULL, "" },
	{ "a\x1b[31m", "a\\x1b[31m" },
	{ "back\\slash", "back\\x5cslash" },
	{ "J\xc3\xb6rg", "J\xc3\xb6rg" },
	{ SIXTY_FOUR, SIXTY_FOUR },
};

START_TEST(name_is_escaped) {
	_cleanup_(cert_freep) struct cert *c =
		read_x509(signing_certificate(key, names[_i].name, 1));

	ck_assert_str_eq(c->signer.subject, names[_i].shown);
}
END_TEST

/* libcrypto makes no name that is longer than RFC 5280 allows, but reads one. */
static struct cert *read_named(const struct blob *name) {
	X509 *x = signing_draft(key, NULL, 1);
	ASN1_OBJECT *oid = OBJ_nid2obj(NID_commonName);
	X509_NAME_ENTRY *entry =
		X509_NAME_ENTRY_create_by_OBJ(NULL, oid, V_ASN1_UTF8STRING, name->data,
					      (int)name->len);

	ck_assert_ptr_nonnull(entry);
	X509_NAME_add_entry(X509_get_subject_name(x), entry, -1, 0);
	X509_NAME_ENTRY_free(entry);
	return read_x509(signing_finish(x, key));
}

START_TEST(long_name_is_cut) {
	static const char *const units[] = { "x", "\xe2\x82\xac", "\xc2\x85" };
	static const char *const shown[] = { "x", "\xe2\x82\xac", "\\xc2\\x85" };
	struct blob name = { .len = 0 };
	char expected[CERT_SUBJECT_MAX] = "";

	for (size_t i = 0; i < 1000; i++)
		blob_add(&name, units[_i], strlen(units[_i]));
	for (size_t i = 0; i < CERT_SUBJECT_CHARACTERS; i++)
		strcat(expected, shown[_i]);
	_cleanup_(cert_freep) struct cert *c = read_named(&name);

	strcat(expected, "...");
	ck_assert_str_eq(c->signer.subject, expected);
}
END_TEST

START_TEST(nothing_hides_behind_nul) {
	struct blob name = blob_hex("676f6f64 00 6576696c");
	_cleanup_(cert_freep) struct cert *c = read_named(&name);

	ck_assert_str_eq(c->signer.subject, "good\\x01evil");
}
END_TEST

START_TEST(broken_name_is_refused) {
	X509 *x = signing_certificate(key, "A!B", 1);
	struct blob der = signing_der(x);

	/* Issuer's and subject's: 0c 03 "A!B". */
	for (size_t i = 0; i + 5 <= der.len; i++)
		if (memcmp(der.data + i, "\x0c\x03\x41!B", 5) == 0)
			der.data[i + 3] = 0xff;
	X509_free(x);
	check_der_refused(&der, MALFORMED);
}
END_TEST

START_TEST(last_name_counts) {
	X509 *x = signing_draft(key, "unit", 1);

	signing_add_name(x, "O", "organization");
	signing_add_name(x, "CN", "person");
	_cleanup_(cert_freep) struct cert *c = read_x509(signing_finish(x, key));

	ck_assert_str_eq(c->signer.subject, "person");
}
END_TEST

/* What may stand around the first certificate. */
START_TEST(first_block_counts) {
	static const char junk[] =
		"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
	X509 *x = signing_certificate(key, "first", 1),
	     *y = signing_certificate(key, "second", 2);
	_cleanup_free_ char *first = signing_certificate_pem(x),
			    *second = signing_certificate_pem(y), *text = NULL;
	struct blob der = signing_der(x);
	_cleanup_free_ char *old = signing_pem("X509 CERTIFICATE", &der);
	const char *const texts[] = { "", "comment\n# more\n", junk, "\r\n\n" };

	for (size_t i = 0; i < 2 * ARRAY_SIZE(texts); i++) {
		ck_assert_int_gt(asprintf(&text, "%s%s%s", texts[i / 2],
					  i % 2 ? old : first, second),
				 0);
		_cleanup_(cert_freep) struct cert *c = read_good(text);

		ck_assert_str_eq(c->signer.subject, "first");
		free(TAKE_PTR(text));
	}
	X509_free(x);
	X509_free(y);
}
END_TEST

START_TEST(no_certificate_is_refused) {
	static const char *const texts[] = {
		"",
		"nothing",
		"-----BEGIN CERTIFICATE-----\n",
		"-----BEGIN CERTIFICATE-----\nAAAA\n",
		"-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n",
		"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
		"-----BEGIN TRUSTED CERTIFICATE-----\nAAAA\n-----END TRUSTED CERTIFICATE-----\n",
	};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		check_refused(texts[i], strlen(texts[i]), NO_PEM);
}
END_TEST

/* libcrypto would ask for a password on the terminal. */
START_TEST(encrypted_is_refused) {
	static const char text[] =
		"-----BEGIN CERTIFICATE-----\n"
		"Proc-Type: 4,ENCRYPTED\n"
		"DEK-Info: AES-128-CBC,00112233445566778899AABBCCDDEEFF\n\n"
		"AAAA\n-----END CERTIFICATE-----\n";

	check_refused(text, sizeof(text) - 1, "its certificate is encrypted");
}
END_TEST

START_TEST(size_has_a_limit) {
	_cleanup_free_ char *text = calloc(1, CERT_SIZE_MAX + 1);

	check_refused(text, CERT_SIZE_MAX + 1, "it is larger than 64 KiB");
	check_refused(text, CERT_SIZE_MAX, NO_PEM);
	check_refused("", 0, NO_PEM);
}
END_TEST

START_TEST(broken_der_is_refused) {
	static const char *const broken[] = {
		"30 00",
		"04 00",
		"30 02 30 00",
		"30 05 30 03 02 01 01",
		"30 07 30 05 02 01 01 30 00",
	};
	X509 *x = signing_certificate(key, "a", 1);
	struct blob der = signing_der(x), more = der;

	X509_free(x);
	blob_add(&more, "", 1);
	check_der_refused(&more, NOT_DER);
	more = der;
	more.len--;
	check_der_refused(&more, NOT_DER);
	for (size_t i = 0; i < ARRAY_SIZE(broken); i++) {
		more = blob_hex(broken[i]);
		check_der_refused(&more, NOT_DER);
	}
	/* Names for us, but no certificate. */
	more = blob_hex("30 09 30 07 02 01 01 30 00 30 00");
	check_der_refused(&more, MALFORMED);
}
END_TEST

START_TEST(broken_date_is_refused) {
	X509 *x = signing_certificate(key, "a", 1);
	struct blob der = signing_der(x);
	size_t i = 0;

	X509_free(x);
	while (i + 2 < der.len && memcmp(der.data + i, "\x17\x0d", 2) != 0)
		i++;
	memcpy(der.data + i + 2, "2399", 4); /* month 99 */
	check_der_refused(&der, "its dates are malformed");
}
END_TEST

/* --- keys --- */

/* An RSA key with any numbers, as nobody would generate it. The top byte of the modulus is `top`. */
static EVP_PKEY *odd_rsa(size_t bytes, uint8_t top, const char *exponent) {
	struct blob n = { .data = { 0, top }, .len = bytes + 1 }, e = blob_hex(exponent);
	struct blob id = blob_hex("30 0d 06 09 2a864886f70d010101 05 00");
	struct blob numbers, bits, spki, zero = { .len = 1 };
	const unsigned char *p = spki.data;
	EVP_PKEY *made;

	memset(n.data + 2, 0xa5, bytes - 1);
	if (top < 0x80)
		memmove(n.data, n.data + 1, n.len--);
	n = blob_wrap(DER_INTEGER, 1, &n);
	numbers = blob_wrap(DER_SEQUENCE, 2, &n, &e);
	bits = blob_wrap(DER_BIT_STRING, 2, &zero, &numbers);
	spki = blob_wrap(DER_SEQUENCE, 2, &id, &bits);
	made = d2i_PUBKEY(NULL, &p, (long)spki.len);
	ck_assert_ptr_nonnull(made);
	return made;
}

#define F4 "02 03 01 00 01"
#define SMALL "its RSA key has fewer than 2048 bits"
#define LARGE "its RSA key has more than 8192 bits"
#define EXPONENT "its RSA key has an impossible exponent"

static const struct {
	size_t bytes;
	uint8_t top;
	const char *exponent, *weakness;
} moduli[] = {
	{ 64, 0x80, F4, SMALL },
	{ 128, 0x80, F4, SMALL },
	{ 256, 0x7f, F4, SMALL },
	{ 256, 0x80, F4, NULL },
	{ 257, 0x01, F4, NULL },
	{ 1024, 0xff, F4, NULL },
	{ 1025, 0x01, F4, LARGE },
	{ 2048, 0xff, F4, LARGE },
	{ 256, 0x80, "02 01 03", NULL },
	{ 256, 0x80, "02 01 01", EXPONENT },
	{ 256, 0x80, "02 01 02", EXPONENT },
	{ 256, 0x80, "02 03 01 00 00", EXPONENT },
};

/* For certificates whose key cannot sign. */
static struct cert *read_key_of(EVP_PKEY *of) {
	X509 *x = signing_draft(of, "a", 1);

	EVP_PKEY_free(of);
	return read_x509(signing_finish(x, key));
}

START_TEST(rsa_has_limits) {
	_cleanup_(cert_freep) struct cert *c = read_key_of(
		odd_rsa(moduli[_i].bytes, moduli[_i].top, moduli[_i].exponent));

	ck_assert_pstr_eq(c->weakness, moduli[_i].weakness);
	if (!c->weakness)
		ck_assert_int_eq(c->algorithm, PKCS7_RSA);
}
END_TEST

#define CURVE "its elliptic curve is neither P-256 nor P-384"
#define KIND "its key is neither RSA nor ECDSA"

static const struct {
	int curve, encoding;
	const char *weakness;
} curves[] = {
	{ NID_X9_62_prime256v1, OPENSSL_EC_NAMED_CURVE, NULL },
	{ NID_secp384r1, OPENSSL_EC_NAMED_CURVE, NULL },
	{ NID_secp521r1, OPENSSL_EC_NAMED_CURVE, CURVE },
	{ NID_secp224r1, OPENSSL_EC_NAMED_CURVE, CURVE },
	{ NID_secp256k1, OPENSSL_EC_NAMED_CURVE, CURVE },
	{ NID_X9_62_prime256v1, OPENSSL_EC_EXPLICIT_CURVE, CURVE },
};

START_TEST(curves_are_listed) {
	_cleanup_(cert_freep) struct cert *c =
		read_key_of(signing_ec(curves[_i].curve, curves[_i].encoding));

	ck_assert_pstr_eq(c->weakness, curves[_i].weakness);
	ck_assert_int_eq(c->algorithm, PKCS7_ECDSA);
}
END_TEST

START_TEST(other_kinds_are_weak) {
	_cleanup_(cert_freep) struct cert *edwards = NULL, *pss = NULL;
	EVP_PKEY_CTX *context = signing_context(EVP_PKEY_RSA_PSS);

	ck_assert_int_eq(EVP_PKEY_CTX_set_rsa_keygen_bits(context, 2048), 1);
	pss = read_key_of(signing_generate(context));
	ck_assert_pstr_eq(pss->weakness, KIND);
	edwards = read_key_of(signing_generate(signing_context(EVP_PKEY_ED25519)));
	ck_assert_pstr_eq(edwards->weakness, KIND);
}
END_TEST

/* A point that is not on the curve makes no key. */
START_TEST(broken_key_is_weak) {
	X509 *x = signing_certificate(key, "a", 1);
	struct blob der = signing_der(x);
	const struct der signature = { der.data, 8 };
	size_t i = 0;

	X509_free(x);
	while (i + 4 < der.len && memcmp(der.data + i, "\x03\x42\x00\x04", 4) != 0)
		i++;
	ck_assert_uint_lt(i + 4, der.len);
	der.data[i + 10] ^= 1;
	_cleanup_free_ char *pem = signing_pem("CERTIFICATE", &der);
	_cleanup_(cert_freep) struct cert *c = read_good(pem);

	ck_assert_pstr_eq(c->weakness, "its key cannot be read");
	ck_assert_int_eq(cert_verify(c, PKCS7_SHA256, "a", 1, &signature), -EIO);
}
END_TEST

START_TEST(only_the_right_signature_verifies) {
	const EVP_MD *const mds[] = { EVP_sha256(), EVP_sha384(), EVP_sha512() };
	_cleanup_(cert_freep) struct cert *c = read_x509(signing_certificate(key, "a", 1));
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	uint8_t bytes[256];
	size_t len = sizeof(bytes);

	ck_assert_int_eq(EVP_DigestSignInit(context, NULL, mds[_i], NULL, key), 1);
	ck_assert_int_eq(EVP_DigestSign(context, bytes, &len, (const uint8_t *)"text", 4),
			 1);
	EVP_MD_CTX_free(context);
	struct der signature = { bytes, len };

	for (enum pkcs7_digest d = 0; d < PKCS7_DIGEST_COUNT; d++)
		ck_assert_int_eq(cert_verify(c, d, "text", 4, &signature),
				 (int)d == _i ? 0 : -EKEYREJECTED);
	ck_assert_int_eq(cert_verify(c, (enum pkcs7_digest)_i, "text\n", 5, &signature),
			 -EKEYREJECTED);
	signature.len--;
	ck_assert_int_eq(cert_verify(c, (enum pkcs7_digest)_i, "text", 4, &signature),
			 -EKEYREJECTED);
	signature.len = 0;
	ck_assert_int_eq(cert_verify(c, (enum pkcs7_digest)_i, "text", 4, &signature),
			 -EKEYREJECTED);
}
END_TEST

int main(void) {
	Suite *s = suite_create("cert");
	TCase *t = tcase_create("cert");

	tcase_add_unchecked_fixture(t, setup, teardown);
	tcase_add_test(t, fields_are_read);
	tcase_add_test(t, old_and_far);
	tcase_add_loop_test(t, name_is_escaped, 0, ARRAY_SIZE(names));
	tcase_add_loop_test(t, long_name_is_cut, 0, 3);
	tcase_add_test(t, nothing_hides_behind_nul);
	tcase_add_test(t, broken_name_is_refused);
	tcase_add_test(t, last_name_counts);
	tcase_add_test(t, first_block_counts);
	tcase_add_test(t, no_certificate_is_refused);
	tcase_add_test(t, encrypted_is_refused);
	tcase_add_test(t, size_has_a_limit);
	tcase_add_test(t, broken_der_is_refused);
	tcase_add_test(t, broken_date_is_refused);
	tcase_add_loop_test(t, rsa_has_limits, 0, ARRAY_SIZE(moduli));
	tcase_add_loop_test(t, curves_are_listed, 0, ARRAY_SIZE(curves));
	tcase_add_test(t, other_kinds_are_weak);
	tcase_add_test(t, broken_key_is_weak);
	tcase_add_loop_test(t, only_the_right_signature_verifies, 0, PKCS7_DIGEST_COUNT);
	suite_add_tcase(s, t);
	return unit_run(s);
}

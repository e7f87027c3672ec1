/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Signatures built in memory: the sound one is read, each change of it is refused with its sentence. */
#include "verity/pkcs7.h"

#include "blob.h"
#include "unit.h"

/* What a signature is made of here. Those from BEHIND_SIGNER on are empty, and belong behind something. */
enum part {
	CONTENT_TYPE,
	DATA_VERSION,
	DIGESTS,
	CONTENT,
	EXTRAS,
	SIGNER_VERSION,
	SIGNER_NAME,
	SIGNER_DIGEST,
	SIGNED_ATTRIBUTES,
	ALGORITHM,
	VALUE,
	UNSIGNED_ATTRIBUTES,
	SIGNERS, /* instead of the SET with the signer */
	BEHIND_SIGNER,
	BEHIND_SIGNERS,
	BEHIND_DATA,
	BEHIND_INFO,
	BEHIND_ALL,
	PART_COUNT
};

#define OID_DATA "06 09 2a864886f70d010701"
#define OID_SIGNED_DATA "06 09 2a864886f70d010702"
#define OID_ENVELOPED_DATA "06 09 2a864886f70d010703"
#define SHA1 "30 09 06 05 2b0e03021a 05 00"
#define MD5 "30 0c 06 08 2a864886f70d0205 05 00"
#define SHA224 "30 0d 06 09 608648016503040204 05 00"
#define SHA256 "30 0d 06 09 608648016503040201 05 00"
#define SHA256_BARE "30 0b 06 09 608648016503040201"
#define SHA384 "30 0b 06 09 608648016503040202"
#define SHA512 "30 0d 06 09 608648016503040203 05 00"
#define ISSUER "30 0c 31 0a 30 08 06 03 550403 0c 01 41"
#define NAME "30 11" ISSUER "02 01 07"
#define RSA "30 0d 06 09 2a864886f70d010101 05 00"
#define RSA_BARE "30 0b 06 09 2a864886f70d010101"
#define RSA_SHA1 "30 0d 06 09 2a864886f70d010105 05 00"
#define RSA_SHA256 "30 0d 06 09 2a864886f70d01010b 05 00"
#define RSA_SHA384 "30 0d 06 09 2a864886f70d01010c 05 00"
#define RSA_SHA512 "30 0d 06 09 2a864886f70d01010d 05 00"
#define RSA_PSS "30 0b 06 09 2a864886f70d01010a"
#define EC_KEY "30 09 06 07 2a8648ce3d0201"
#define ECDSA_SHA1 "30 09 06 07 2a8648ce3d0401"
#define ECDSA_SHA256 "30 0a 06 08 2a8648ce3d040302"
#define ECDSA_SHA384 "30 0a 06 08 2a8648ce3d040303"
#define ECDSA_SHA512 "30 0a 06 08 2a8648ce3d040304"
#define ED25519 "30 05 06 03 2b6570"
#define EC_VALUE "04 08 30 06 02 01 05 02 01 06"

static const char *const sound[PART_COUNT] = {
	[CONTENT_TYPE] = OID_SIGNED_DATA,
	[DATA_VERSION] = "02 01 01",
	[DIGESTS] = SHA256,
	[CONTENT] = "30 0b" OID_DATA,
	[SIGNER_VERSION] = "02 01 01",
	[SIGNER_NAME] = NAME,
	[SIGNER_DIGEST] = SHA256,
	[ALGORITHM] = RSA,
	[VALUE] = "04 03 aa bb cc",
};

static struct blob parts[PART_COUNT];

static void set_parts(const char *const hex[PART_COUNT]) {
	for (size_t i = 0; i < PART_COUNT; i++)
		parts[i] = blob_hex(hex[i] ?: "");
}

static struct blob build(void) {
	const struct blob *p = parts;
	struct blob signer = blob_wrap(DER_SEQUENCE, 8, &p[SIGNER_VERSION],
				       &p[SIGNER_NAME], &p[SIGNER_DIGEST],
				       &p[SIGNED_ATTRIBUTES], &p[ALGORITHM], &p[VALUE],
				       &p[UNSIGNED_ATTRIBUTES], &p[BEHIND_SIGNER]);
	struct blob signers = p[SIGNERS].len > 0 ? p[SIGNERS]
						 : blob_wrap(DER_SET, 1, &signer);
	struct blob digests = blob_wrap(DER_SET, 1, &p[DIGESTS]);
	struct blob data = blob_wrap(DER_SEQUENCE, 6, &p[DATA_VERSION], &digests,
				     &p[CONTENT], &p[EXTRAS], &signers,
				     &p[BEHIND_SIGNERS]);
	struct blob explicit = blob_wrap(DER_CONTEXT_0, 2, &data, &p[BEHIND_DATA]);
	struct blob all = blob_wrap(DER_SEQUENCE, 3, &p[CONTENT_TYPE], &explicit,
				    &p[BEHIND_INFO]);

	blob_add(&all, p[BEHIND_ALL].data, p[BEHIND_ALL].len);
	return all;
}

/* One without bytes behind it, for AddressSanitizer. */
static int parse(const struct blob *b, struct pkcs7 *ret, const char **ret_why) {
	static uint8_t *exact;

	free(exact);
	exact = malloc(b->len);
	ck_assert_ptr_nonnull(exact);
	memcpy(exact, b->data, b->len);
	return pkcs7_parse(exact, b->len, ret, ret_why);
}

struct change {
	enum part part;
	const char *hex;
};

static void apply(const struct change *changes, size_t n) {
	for (size_t i = 0; i < n && changes[i].hex; i++)
		parts[changes[i].part] = blob_hex(changes[i].hex);
}

static const struct {
	struct change changes[4];
	enum pkcs7_digest digest;
	enum pkcs7_algorithm algorithm;
} accepted[] = {
	{ { { 0 } }, PKCS7_SHA256, PKCS7_RSA },
	{ { { ALGORITHM, RSA_BARE } }, PKCS7_SHA256, PKCS7_RSA },
	{ { { ALGORITHM, RSA_SHA256 } }, PKCS7_SHA256, PKCS7_RSA },
	{ { { DIGESTS, SHA256_BARE } }, PKCS7_SHA256, PKCS7_RSA },
	{ { { SIGNER_DIGEST, SHA256_BARE } }, PKCS7_SHA256, PKCS7_RSA },
	{ { { DIGESTS, SHA384 }, { SIGNER_DIGEST, SHA384 } }, PKCS7_SHA384, PKCS7_RSA },
	{ { { DIGESTS, SHA512 }, { SIGNER_DIGEST, SHA512 } }, PKCS7_SHA512, PKCS7_RSA },
	{ { { DIGESTS, SHA384 }, { SIGNER_DIGEST, SHA384 }, { ALGORITHM, RSA_SHA384 } },
	  PKCS7_SHA384,
	  PKCS7_RSA },
	{ { { DIGESTS, SHA512 }, { SIGNER_DIGEST, SHA512 }, { ALGORITHM, RSA_SHA512 } },
	  PKCS7_SHA512,
	  PKCS7_RSA },
	{ { { ALGORITHM, ECDSA_SHA256 }, { VALUE, EC_VALUE } }, PKCS7_SHA256, PKCS7_ECDSA },
	{ { { DIGESTS, SHA384 },
	    { SIGNER_DIGEST, SHA384 },
	    { ALGORITHM, ECDSA_SHA384 },
	    { VALUE, EC_VALUE } },
	  PKCS7_SHA384,
	  PKCS7_ECDSA },
	{ { { DIGESTS, SHA512 },
	    { SIGNER_DIGEST, SHA512 },
	    { ALGORITHM, ECDSA_SHA512 },
	    { VALUE, EC_VALUE } },
	  PKCS7_SHA512,
	  PKCS7_ECDSA },
	/* signature.9: skipped, whatever they are */
	{ { { EXTRAS, "a0 04 30 02 05 00" } }, PKCS7_SHA256, PKCS7_RSA },
	{ { { EXTRAS, "a1 02 30 00" } }, PKCS7_SHA256, PKCS7_RSA },
	{ { { EXTRAS, "a0 00 a1 00" } }, PKCS7_SHA256, PKCS7_RSA },
};

START_TEST(sound_is_read) {
	struct blob issuer = blob_hex(ISSUER), whole;
	const char *why = NULL;
	struct pkcs7 p;

	set_parts(sound);
	apply(accepted[_i].changes, 4);
	whole = build();
	ck_assert_msg(parse(&whole, &p, &why) == 0, "refused: %s", why);
	ck_assert_ptr_null(why);
	ck_assert_int_eq(p.digest, accepted[_i].digest);
	ck_assert_int_eq(p.algorithm, accepted[_i].algorithm);
	ck_assert_uint_eq(p.issuer.len, issuer.len);
	ck_assert_mem_eq(p.issuer.data, issuer.data, issuer.len);
	ck_assert_uint_eq(p.serial.len, 1);
	ck_assert_uint_eq(p.serial.data[0], 7);
	ck_assert_uint_eq(p.signature.len, parts[VALUE].len - 2);
	ck_assert_mem_eq(p.signature.data, parts[VALUE].data + 2, p.signature.len);
}
END_TEST

#define NO_CONTENT "it is no PKCS #7 content"
#define NO_DATA "the signed data are malformed"
#define PARAMETERS "a digest algorithm has parameters"
#define DIGEST "the digest is not SHA-256, SHA-384 or SHA-512"
#define TYPE "the content's type is malformed"
#define ATTACHED "the content is attached"
#define NO_NAME "the signer's name is malformed"
#define NO_SIGNER "the signer is malformed"
#define UNKNOWN "the signer's version is unknown"
#define NO_ALGORITHM "an algorithm is malformed"
#define OTHER_DIGEST "the signature algorithm names another digest"
#define KIND "the algorithm is neither RSA (PKCS #1 v1.5) nor ECDSA"
#define A_PARAMETERS "the signature algorithm has parameters"
#define ECDSA "the ECDSA signature is malformed"
#define BROKEN -EBADMSG
#define REFUSED -EPROTONOSUPPORT

static const struct {
	struct change changes[2];
	int error;
	const char *why;
} refused[] = {
	/* signature.2 */
	{ { { BEHIND_ALL, "00" } }, BROKEN, "bytes behind the end" },
	{ { { BEHIND_ALL, "0a" } }, BROKEN, "bytes behind the end" },
	{ { { EXTRAS, "a0 80 00 00" } }, BROKEN, "an indefinite length" },
	{ { { EXTRAS, "a0 03 30 02 05" } }, BROKEN, "an element is cut off" },
	/* signature.3 */
	{ { { CONTENT_TYPE, "" } }, BROKEN, NO_CONTENT },
	{ { { CONTENT_TYPE, "05 00" } }, BROKEN, NO_CONTENT },
	{ { { CONTENT_TYPE, OID_ENVELOPED_DATA } }, REFUSED, "it is not signed data" },
	{ { { CONTENT_TYPE, OID_DATA } }, REFUSED, "it is not signed data" },
	{ { { CONTENT_TYPE, OID_SIGNED_DATA "05 00" } }, BROKEN, NO_DATA },
	{ { { BEHIND_INFO, "05 00" } }, BROKEN, NO_DATA },
	{ { { BEHIND_DATA, "05 00" } }, BROKEN, NO_DATA },
	{ { { DATA_VERSION, "" } }, BROKEN, NO_DATA },
	{ { { DATA_VERSION, "02 01 00" } },
	  REFUSED,
	  "the version of the signed data is unknown" },
	{ { { DATA_VERSION, "02 01 03" } },
	  REFUSED,
	  "the version of the signed data is unknown" },
	{ { { DATA_VERSION, "02 02 01 01" } },
	  REFUSED,
	  "the version of the signed data is unknown" },
	{ { { EXTRAS, "a1 00 a0 00" } }, BROKEN, NO_DATA },
	{ { { EXTRAS, "a0 00 a0 00" } }, BROKEN, NO_DATA },
	{ { { EXTRAS, "a2 00" } }, BROKEN, NO_DATA },
	{ { { EXTRAS, "80 00" } }, BROKEN, NO_DATA },
	{ { { BEHIND_SIGNERS, "05 00" } }, BROKEN, NO_DATA },
	/* signature.4 */
	{ { { CONTENT, "" } }, BROKEN, TYPE },
	{ { { CONTENT, "30 00" } }, BROKEN, TYPE },
	{ { { CONTENT, "30 02 05 00" } }, BROKEN, TYPE },
	{ { { CONTENT, "30 0b" OID_SIGNED_DATA } },
	  REFUSED,
	  "the content is of another type than data" },
	{ { { CONTENT, "30 10" OID_DATA "a0 03 04 01 41" } }, REFUSED, ATTACHED },
	{ { { CONTENT, "30 0f" OID_DATA "a0 02 04 00" } }, REFUSED, ATTACHED },
	{ { { CONTENT, "30 0d" OID_DATA "05 00" } }, REFUSED, ATTACHED },
	/* signature.5 */
	{ { { DIGESTS, "" } }, BROKEN, "no digest algorithm is listed" },
	{ { { DIGESTS, SHA256 SHA256 } },
	  REFUSED,
	  "more than one digest algorithm is listed" },
	{ { { DIGESTS, SHA256 SHA512 } },
	  REFUSED,
	  "more than one digest algorithm is listed" },
	{ { { DIGESTS, SHA512 } }, BROKEN, "the signer's digest is not the listed one" },
	{ { { SIGNER_DIGEST, SHA512 } },
	  BROKEN,
	  "the signer's digest is not the listed one" },
	{ { { DIGESTS, SHA1 }, { SIGNER_DIGEST, SHA1 } }, REFUSED, DIGEST },
	{ { { DIGESTS, MD5 }, { SIGNER_DIGEST, MD5 } }, REFUSED, DIGEST },
	{ { { DIGESTS, SHA224 }, { SIGNER_DIGEST, SHA224 } }, REFUSED, DIGEST },
	{ { { SIGNER_DIGEST, SHA1 } }, REFUSED, DIGEST },
	{ { { DIGESTS, "30 00" } }, BROKEN, NO_ALGORITHM },
	{ { { DIGESTS, "05 00" } }, BROKEN, NO_ALGORITHM },
	{ { { SIGNER_DIGEST, "05 00" } }, BROKEN, NO_ALGORITHM },
	{ { { DIGESTS, "30 0d 06 09 608648016503040201 30 00" } }, BROKEN, PARAMETERS },
	{ { { SIGNER_DIGEST, "30 0f 06 09 608648016503040201 05 00 05 00" } },
	  BROKEN,
	  PARAMETERS },
	/* signature.6 */
	{ { { ALGORITHM, RSA_SHA1 } }, REFUSED, KIND },
	{ { { ALGORITHM, RSA_PSS } }, REFUSED, KIND },
	{ { { ALGORITHM, ECDSA_SHA1 } }, REFUSED, KIND },
	{ { { ALGORITHM, EC_KEY }, { VALUE, EC_VALUE } }, REFUSED, KIND },
	{ { { ALGORITHM, ED25519 } }, REFUSED, KIND },
	{ { { ALGORITHM, RSA_SHA384 } }, BROKEN, OTHER_DIGEST },
	{ { { ALGORITHM, ECDSA_SHA512 }, { VALUE, EC_VALUE } }, BROKEN, OTHER_DIGEST },
	{ { { ALGORITHM, "30 0d 06 09 2a864886f70d010101 30 00" } }, BROKEN, A_PARAMETERS },
	{ { { ALGORITHM, "30 0c 06 08 2a8648ce3d040302 05 00" }, { VALUE, EC_VALUE } },
	  BROKEN,
	  A_PARAMETERS },
	{ { { ALGORITHM, "30 00" } }, BROKEN, NO_ALGORITHM },
	{ { { ALGORITHM, "" } }, BROKEN, NO_ALGORITHM },
	{ { { VALUE, "" } }, BROKEN, NO_SIGNER },
	{ { { VALUE, "03 02 00 aa" } }, BROKEN, NO_SIGNER },
	{ { { VALUE, "04 00" } }, BROKEN, "the signature's length is impossible" },
	{ { { ALGORITHM, ECDSA_SHA256 }, { VALUE, "04 02 05 00" } }, BROKEN, ECDSA },
	{ { { ALGORITHM, ECDSA_SHA256 }, { VALUE, "04 09 30 06 02 01 05 02 01 06 00" } },
	  BROKEN,
	  ECDSA },
	{ { { ALGORITHM, ECDSA_SHA256 },
	    { VALUE, "04 0a 30 08 02 01 05 02 01 06 05 00" } },
	  BROKEN,
	  ECDSA },
	{ { { ALGORITHM, ECDSA_SHA256 }, { VALUE, "04 05 30 03 02 01 05" } },
	  BROKEN,
	  ECDSA },
	{ { { ALGORITHM, ECDSA_SHA256 }, { VALUE, "04 08 30 06 02 01 05 02 01 00" } },
	  BROKEN,
	  ECDSA },
	{ { { ALGORITHM, ECDSA_SHA256 }, { VALUE, "04 08 30 06 02 01 85 02 01 06" } },
	  BROKEN,
	  ECDSA },
	{ { { ALGORITHM, ECDSA_SHA256 }, { VALUE, "04 09 30 07 02 02 00 05 02 01 06" } },
	  BROKEN,
	  ECDSA },
	/* signature.7 */
	{ { { SIGNERS, "31 00" } }, BROKEN, "it has no signer" },
	{ { { SIGNERS, "31 02 05 00" } }, BROKEN, NO_SIGNER },
	{ { { SIGNERS, "31 02 30 00" } }, BROKEN, NO_SIGNER },
	{ { { SIGNERS, "31 04 30 00 30 00" } }, REFUSED, "it has more than one signer" },
	{ { { SIGNERS, "30 02 30 00" } }, BROKEN, NO_DATA },
	{ { { SIGNER_VERSION, "" } }, BROKEN, NO_SIGNER },
	{ { { SIGNER_VERSION, "02 01 00" } }, REFUSED, UNKNOWN },
	{ { { SIGNER_VERSION, "02 01 03" } }, REFUSED, UNKNOWN },
	{ { { SIGNER_VERSION, "02 02 01 01" } }, REFUSED, UNKNOWN },
	{ { { SIGNER_VERSION, "02 01 03" }, { SIGNER_NAME, "80 02 41 42" } },
	  REFUSED,
	  "the signer is named by a key identifier" },
	{ { { SIGNER_NAME, "" } }, BROKEN, NO_NAME },
	{ { { SIGNER_NAME, "30 00" } }, BROKEN, NO_NAME },
	{ { { SIGNER_NAME, "30 0e" ISSUER } }, BROKEN, NO_NAME },
	{ { { SIGNER_NAME, "30 03 02 01 07" } }, BROKEN, NO_NAME },
	{ { { SIGNER_NAME, "30 10" ISSUER "05 00" } }, BROKEN, NO_NAME },
	{ { { SIGNER_NAME, "30 13" ISSUER "02 01 07 05 00" } }, BROKEN, NO_NAME },
	{ { { BEHIND_SIGNER, "05 00" } }, BROKEN, NO_SIGNER },
	/* signature.8 */
	{ { { SIGNED_ATTRIBUTES, "a0 00" } }, REFUSED, "it has signed attributes" },
	{ { { SIGNED_ATTRIBUTES, "a0 02 30 00" } }, REFUSED, "it has signed attributes" },
	{ { { UNSIGNED_ATTRIBUTES, "a1 00" } }, REFUSED, "it has unsigned attributes" },
	{ { { UNSIGNED_ATTRIBUTES, "a1 02 30 00" } },
	  REFUSED,
	  "it has unsigned attributes" },
};

START_TEST(change_is_refused) {
	const char *why = NULL;
	struct pkcs7 p = { .digest = PKCS7_SHA512 };
	struct blob whole;
	int r;

	set_parts(sound);
	apply(refused[_i].changes, 2);
	whole = build();
	r = parse(&whole, &p, &why);
	ck_assert_pstr_eq(why, refused[_i].why);
	ck_assert_int_eq(r, refused[_i].error);
	ck_assert_int_eq(p.digest, PKCS7_SHA512);
}
END_TEST

/* RSA with 8192 bits is the largest that any key here can make. */
START_TEST(signature_has_a_limit) {
	static const uint8_t bytes[1025];
	struct blob value = { .len = 0 }, whole;
	const char *why = NULL;
	struct pkcs7 p;

	set_parts(sound);
	blob_add(&value, bytes, 1024);
	parts[VALUE] = blob_wrap(DER_OCTET_STRING, 1, &value);
	whole = build();
	ck_assert_int_eq(parse(&whole, &p, &why), 0);
	ck_assert_uint_eq(p.signature.len, 1024);
	blob_add(&value, bytes, 1);
	parts[VALUE] = blob_wrap(DER_OCTET_STRING, 1, &value);
	whole = build();
	ck_assert_int_eq(parse(&whole, &p, &why), -EBADMSG);
	ck_assert_str_eq(why, "the signature's length is impossible");
}
END_TEST

START_TEST(size_has_a_limit) {
	_cleanup_free_ uint8_t *data = calloc(1, PKCS7_SIZE_MAX + 1);
	const char *why = NULL;
	struct pkcs7 p;

	ck_assert_int_eq(pkcs7_parse(data, PKCS7_SIZE_MAX + 1, &p, &why), -EBADMSG);
	ck_assert_str_eq(why, "the signature is larger than 64 KiB");
	ck_assert_int_eq(pkcs7_parse(data, PKCS7_SIZE_MAX, &p, &why), -EBADMSG);
	ck_assert_str_eq(why, "an element that has not the form of its type");
	ck_assert_int_eq(pkcs7_parse(data, 0, &p, &why), -EBADMSG);
	ck_assert_str_eq(why, "the signature is empty");
	ck_assert_int_eq(pkcs7_parse(NULL, 0, &p, &why), -EBADMSG);
	data[0] = DER_NULL;
	ck_assert_int_eq(pkcs7_parse(data, 2, &p, &why), -EBADMSG);
	ck_assert_str_eq(why, NO_CONTENT);
}
END_TEST

START_TEST(truncation_is_refused) {
	struct blob whole;

	set_parts(sound);
	whole = build();
	for (size_t len = whole.len; len-- > 0;) {
		struct blob part = whole;
		const char *why = NULL;
		struct pkcs7 p;

		part.len = len;
		ck_assert_int_eq(parse(&part, &p, &why), -EBADMSG);
	}
}
END_TEST

/* A change of one bit is refused here, or changes one of the fields, which the verifier then looks at. */
START_TEST(every_bit_matters) {
	const char *why = NULL;
	struct blob whole;
	struct pkcs7 good, p;

	set_parts(sound);
	whole = build();
	ck_assert_int_eq(pkcs7_parse(whole.data, whole.len, &good, &why), 0);
	for (size_t bit = 0; bit < whole.len * 8; bit++) {
		struct blob flipped = whole;

		flipped.data[bit / 8] ^= (uint8_t)(1U << bit % 8);
		if (pkcs7_parse(flipped.data, flipped.len, &p, &why) < 0)
			continue;
		ck_assert_msg(p.digest != good.digest || p.algorithm != good.algorithm ||
				      !der_equal(&p.issuer, &good.issuer) ||
				      !der_equal(&p.serial, &good.serial) ||
				      !der_equal(&p.signature, &good.signature),
			      "bit %zu does not matter", bit);
	}
}
END_TEST

int main(void) {
	Suite *s = suite_create("pkcs7");
	TCase *t = tcase_create("pkcs7");

	tcase_add_loop_test(t, sound_is_read, 0, ARRAY_SIZE(accepted));
	tcase_add_loop_test(t, change_is_refused, 0, ARRAY_SIZE(refused));
	tcase_add_test(t, signature_has_a_limit);
	tcase_add_test(t, size_has_a_limit);
	tcase_add_test(t, truncation_is_refused);
	tcase_add_test(t, every_bit_matters);
	suite_add_tcase(s, t);
	return unit_run(s);
}

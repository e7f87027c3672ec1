/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The gate for detached PKCS #7 signatures. */
#include "pkcs7.h"

#include <string.h>

#define SIGNATURE_MAX 1024 /* RSA with 8192 bits */

/* An object identifier's content, from a string literal. */
#define OID(text) \
	{ .data = (const uint8_t *)(text), .len = sizeof(text) - 1 }

static const struct der oid_data = OID("\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01");
static const struct der oid_signed_data = OID("\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02");

/* 2.16.840.1.101.3.4.2.1 to .3 */
static const struct der digests[PKCS7_DIGEST_COUNT] = {
	[PKCS7_SHA256] = OID("\x60\x86\x48\x01\x65\x03\x04\x02\x01"),
	[PKCS7_SHA384] = OID("\x60\x86\x48\x01\x65\x03\x04\x02\x02"),
	[PKCS7_SHA512] = OID("\x60\x86\x48\x01\x65\x03\x04\x02\x03"),
};

#define ANY_DIGEST PKCS7_DIGEST_COUNT

static const struct {
	struct der oid;
	enum pkcs7_algorithm algorithm;
	enum pkcs7_digest digest;
} algorithms[] = {
	/* rsaEncryption, then sha{256,384,512}WithRSAEncryption: 1.2.840.113549.1.1 */
	{ OID("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01"), PKCS7_RSA, ANY_DIGEST },
	{ OID("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b"), PKCS7_RSA, PKCS7_SHA256 },
	{ OID("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0c"), PKCS7_RSA, PKCS7_SHA384 },
	{ OID("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0d"), PKCS7_RSA, PKCS7_SHA512 },
	/* ecdsa-with-SHA{256,384,512}: 1.2.840.10045.4.3 */
	{ OID("\x2a\x86\x48\xce\x3d\x04\x03\x02"), PKCS7_ECDSA, PKCS7_SHA256 },
	{ OID("\x2a\x86\x48\xce\x3d\x04\x03\x03"), PKCS7_ECDSA, PKCS7_SHA384 },
	{ OID("\x2a\x86\x48\xce\x3d\x04\x03\x04"), PKCS7_ECDSA, PKCS7_SHA512 },
};

static int malformed(const char **ret_why, const char *why) {
	*ret_why = why;
	return -EBADMSG;
}

static int unsupported(const char **ret_why, const char *why) {
	*ret_why = why;
	return -EPROTONOSUPPORT;
}

/* A version is a small number: anything but one byte is none that we know, and -1. */
static int version_of(const struct der *integer) {
	return integer->len == 1 ? integer->data[0] : -1;
}

/* AlgorithmIdentifier: `has_parameters` where they are there and not NULL. */
struct identifier {
	struct der oid;
	bool has_null, has_parameters;
};

static int take_identifier(struct der *from, struct identifier *ret,
			   const char **ret_why) {
	struct der sequence, null;

	if (!der_take(from, DER_SEQUENCE, &sequence) ||
	    !der_take(&sequence, DER_OID, &ret->oid))
		return malformed(ret_why, "an algorithm is malformed");
	ret->has_null = der_take(&sequence, DER_NULL, &null);
	ret->has_parameters = sequence.len > 0;
	return 0;
}

/* RFC 5754 2: parameters are absent, or NULL, which older programs write. */
static int take_digest(struct der *from, enum pkcs7_digest *ret, const char **ret_why) {
	struct identifier id;
	int r;

	r = take_identifier(from, &id, ret_why);
	if (r < 0)
		return r;
	if (id.has_parameters)
		return malformed(ret_why, "a digest algorithm has parameters");
	for (enum pkcs7_digest d = 0; d < PKCS7_DIGEST_COUNT; d++)
		if (der_equal(&id.oid, &digests[d])) {
			*ret = d;
			return 0;
		}
	return unsupported(ret_why, "the digest is not SHA-256, SHA-384 or SHA-512");
}

/* signature.5: the only signer's digest, and no other. */
static int take_digests(struct der *from, enum pkcs7_digest *ret, const char **ret_why) {
	struct der set;
	int r;

	if (!der_take(from, DER_SET, &set))
		return malformed(ret_why, "the signed data are malformed");
	if (set.len == 0)
		return malformed(ret_why, "no digest algorithm is listed");
	r = take_digest(&set, ret, ret_why);
	if (r == 0 && set.len > 0)
		r = unsupported(ret_why, "more than one digest algorithm is listed");
	return r;
}

/* signature.4 */
static int take_content(struct der *from, const char **ret_why) {
	struct der info, type;

	if (!der_take(from, DER_SEQUENCE, &info) || !der_take(&info, DER_OID, &type))
		return malformed(ret_why, "the content's type is malformed");
	if (!der_equal(&type, &oid_data))
		return unsupported(ret_why, "the content is of another type than data");
	if (info.len > 0)
		return unsupported(ret_why, "the content is attached");
	return 0;
}

/* signature.7: IssuerAndSerialNumber; a key identifier would be [0], which is primitive. */
static int take_name(struct der *from, struct pkcs7 *p, const char **ret_why) {
	struct der name;

	if (der_is_next(from, 0x80))
		return unsupported(ret_why, "the signer is named by a key identifier");
	if (!der_take(from, DER_SEQUENCE, &name) ||
	    !der_take_whole(&name, DER_SEQUENCE, &p->issuer) ||
	    !der_take(&name, DER_INTEGER, &p->serial) || name.len > 0)
		return malformed(ret_why, "the signer's name is malformed");
	return 0;
}

/* RFC 3279 2.2.1, RFC 5754 3.3: RSA has NULL, which may be missing; ECDSA has nothing. */
static int check_parameters(const struct identifier *id, enum pkcs7_algorithm algorithm,
			    const char **ret_why) {
	if (id->has_parameters || (id->has_null && algorithm == PKCS7_ECDSA))
		return malformed(ret_why, "the signature algorithm has parameters");
	return 0;
}

/* signature.6 */
static int take_algorithm(struct der *from, struct pkcs7 *p, const char **ret_why) {
	struct identifier id;
	int r;

	r = take_identifier(from, &id, ret_why);
	if (r < 0)
		return r;
	for (size_t i = 0; i < ARRAY_SIZE(algorithms); i++) {
		if (!der_equal(&id.oid, &algorithms[i].oid))
			continue;
		if (algorithms[i].digest != ANY_DIGEST &&
		    algorithms[i].digest != p->digest)
			return malformed(ret_why,
					 "the signature algorithm names another digest");
		p->algorithm = algorithms[i].algorithm;
		return check_parameters(&id, p->algorithm, ret_why);
	}
	return unsupported(ret_why,
			   "the algorithm is neither RSA (PKCS #1 v1.5) nor ECDSA");
}

static bool take_positive(struct der *from) {
	struct der n;

	return der_take(from, DER_INTEGER, &n) && n.data[0] < 0x80 &&
	       !(n.len == 1 && n.data[0] == 0);
}

/* Ecdsa-Sig-Value (RFC 3279 2.2.3): two positive numbers in the same exact DER. */
static bool is_ecdsa(const struct der *value) {
	struct der left = *value, sequence;
	const char *why;

	return der_check(value->data, value->len, &why) == 0 &&
	       der_take(&left, DER_SEQUENCE, &sequence) && take_positive(&sequence) &&
	       take_positive(&sequence) && sequence.len == 0;
}

static int take_value(struct der *from, struct pkcs7 *p, const char **ret_why) {
	if (!der_take(from, DER_OCTET_STRING, &p->signature))
		return malformed(ret_why, "the signer is malformed");
	if (p->signature.len == 0 || p->signature.len > SIGNATURE_MAX)
		return malformed(ret_why, "the signature's length is impossible");
	if (p->algorithm == PKCS7_ECDSA && !is_ecdsa(&p->signature))
		return malformed(ret_why, "the ECDSA signature is malformed");
	return 0;
}

/* signature.8: the kernel refuses signed attributes, and nobody needs the others. */
static int check_attributes(const struct der *from, uint8_t tag, const char *why,
			    const char **ret_why) {
	return der_is_next(from, tag) ? unsupported(ret_why, why) : 0;
}

/* RFC 5652 5.3, in its order. `listed` is the digest of the signed data. */
static int read_signer(struct der s, enum pkcs7_digest listed, struct pkcs7 *p,
		       const char **ret_why) {
	struct der version;
	int r;

	if (!der_take(&s, DER_INTEGER, &version))
		return malformed(ret_why, "the signer is malformed");
	r = take_name(&s, p, ret_why);
	if (r == 0 && version_of(&version) != 1)
		r = unsupported(ret_why, "the signer's version is unknown");
	if (r == 0)
		r = take_digest(&s, &p->digest, ret_why);
	if (r == 0 && p->digest != listed)
		r = malformed(ret_why, "the signer's digest is not the listed one");
	if (r == 0)
		r = check_attributes(&s, DER_CONTEXT_0, "it has signed attributes",
				     ret_why);
	if (r == 0)
		r = take_algorithm(&s, p, ret_why);
	if (r == 0)
		r = take_value(&s, p, ret_why);
	if (r == 0)
		r = check_attributes(&s, DER_CONTEXT_1, "it has unsigned attributes",
				     ret_why);
	if (r == 0 && s.len > 0)
		r = malformed(ret_why, "the signer is malformed");
	return r;
}

static int take_signers(struct der *from, enum pkcs7_digest listed, struct pkcs7 *p,
			const char **ret_why) {
	struct der set, signer;

	if (!der_take(from, DER_SET, &set) || from->len > 0)
		return malformed(ret_why, "the signed data are malformed");
	if (set.len == 0)
		return malformed(ret_why, "it has no signer");
	if (!der_take(&set, DER_SEQUENCE, &signer))
		return malformed(ret_why, "the signer is malformed");
	if (set.len > 0)
		return unsupported(ret_why, "it has more than one signer");
	return read_signer(signer, listed, p, ret_why);
}

/* RFC 5652 5.1, in its order. The version comes last: what needs another one has a better sentence. */
static int read_signed_data(struct der s, struct pkcs7 *p, const char **ret_why) {
	enum pkcs7_digest listed = 0;
	struct der version, ignored;
	int r;

	if (!der_take(&s, DER_INTEGER, &version))
		return malformed(ret_why, "the signed data are malformed");
	r = take_digests(&s, &listed, ret_why);
	if (r == 0)
		r = take_content(&s, ret_why);
	if (r < 0)
		return r;
	/* signature.9: certificates, then CRLs. */
	der_take(&s, DER_CONTEXT_0, &ignored);
	der_take(&s, DER_CONTEXT_1, &ignored);
	r = take_signers(&s, listed, p, ret_why);
	if (r == 0 && version_of(&version) != 1)
		r = unsupported(ret_why, "the version of the signed data is unknown");
	return r;
}

/* signature.3: ContentInfo. */
static int open_signed_data(struct der all, struct der *ret, const char **ret_why) {
	struct der info, type, content;

	if (!der_take(&all, DER_SEQUENCE, &info) || !der_take(&info, DER_OID, &type))
		return malformed(ret_why, "it is no PKCS #7 content");
	if (!der_equal(&type, &oid_signed_data))
		return unsupported(ret_why, "it is not signed data");
	if (!der_take(&info, DER_CONTEXT_0, &content) || info.len > 0 ||
	    !der_take(&content, DER_SEQUENCE, ret) || content.len > 0)
		return malformed(ret_why, "the signed data are malformed");
	return 0;
}

int pkcs7_parse(const void *data, size_t len, struct pkcs7 *ret, const char **ret_why) {
	struct der signed_data;
	struct pkcs7 p = { 0 };
	int r;

	if (len == 0)
		return malformed(ret_why, "the signature is empty");
	if (len > PKCS7_SIZE_MAX)
		return malformed(ret_why, "the signature is larger than 64 KiB");
	r = der_check(data, len, ret_why);
	if (r == 0)
		r = open_signed_data((struct der){ data, len }, &signed_data, ret_why);
	if (r == 0)
		r = read_signed_data(signed_data, &p, ret_why);
	if (r == 0)
		*ret = p;
	return r;
}

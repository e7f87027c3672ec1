/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The gate for detached PKCS #7 signatures (RFC 2315, RFC 5652): what can be read in one way only. Pure. */
#pragma once

#include "der.h"

/* Larger ones are refused before they are read. */
#define PKCS7_SIZE_MAX ((size_t)64 * 1024)

enum pkcs7_digest { PKCS7_SHA256, PKCS7_SHA384, PKCS7_SHA512, PKCS7_DIGEST_COUNT };
enum pkcs7_algorithm { PKCS7_RSA, PKCS7_ECDSA }; /* RSA is PKCS #1 v1.5 */

/* The one signer, all borrowed from the signature's bytes. */
struct pkcs7 {
	struct der issuer; /* a Name, with its tag: to be compared byte by byte */
	struct der serial; /* the content of the INTEGER */
	enum pkcs7_digest digest;
	enum pkcs7_algorithm algorithm;
	struct der signature; /* of ECDSA: an Ecdsa-Sig-Value */
};

/*
 * Reads a signature that has: exact DER (der_check()), signed data of version 1 without content,
 * exactly one signer, named by issuer and serial number, no attributes, SHA-256, SHA-384 or SHA-512,
 * RSA (PKCS #1 v1.5) or ECDSA. Certificates and CRLs that come along are skipped. Says nothing
 * about whether the signature is right. 0; -EBADMSG where it is malformed, -EPROTONOSUPPORT where
 * it is sound and refused; then *ret_why is a static sentence (specs: signature.1 to signature.9).
 */
int pkcs7_parse(const void *data, size_t len, struct pkcs7 *ret, const char **ret_why);

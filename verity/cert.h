/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One X.509 certificate that is trusted: whose it is, and what its key has signed. */
#pragma once

#include "der.h"
#include "pkcs7.h"

/* Larger files are refused before they are read. */
#define CERT_SIZE_MAX ((size_t)64 * 1024)
#define CERT_FINGERPRINT_MAX 65	   /* 64 hex digits and NUL */
#define CERT_SUBJECT_CHARACTERS 64 /* ub-common-name of RFC 5280 */
#define CERT_SUBJECT_MAX (CERT_SUBJECT_CHARACTERS * 8 + 4)

/* What people are shown about a signer. */
struct signer {
	char subject[CERT_SUBJECT_MAX]; /* the common name, escaped and cut; "" without one */
	char fingerprint[CERT_FINGERPRINT_MAX]; /* SHA-256 of the DER, in lower-case hex */
	int64_t not_before, not_after;		/* seconds since 1970, both still valid */
};

struct evp_pkey_st; /* libcrypto's */

struct cert {
	struct signer signer;
	struct der issuer, serial; /* as in struct pkcs7; lie in `der` */
	const char *weakness; /* a static sentence why its key may sign nothing, or NULL */
	enum pkcs7_algorithm algorithm; /* of the key, if it has no weakness */
	uint8_t *der;
	struct evp_pkey_st *key;
};

/*
 * Reads the first certificate of a PEM text. 0 with *ret, which the caller owns; -ENOMEM; -ELIBACC without libcrypto; -EBADMSG and
 * *ret_why, a static sentence, where there is none or it is malformed. A key other than RSA with
 * 2048 to 8192 bits, P-256 or P-384 is a weakness (specs: certs.6 to certs.9).
 */
int cert_parse(const char *pem, size_t len, struct cert **ret, const char **ret_why);

/*
 * Whether `signature` is by this certificate's key over exactly `data`. 0, -EKEYREJECTED, or -EIO where
 * libcrypto failed. Asks neither for the weakness nor for the dates.
 */
int cert_verify(const struct cert *c, enum pkcs7_digest digest, const void *data,
		size_t len, const struct der *signature);

void cert_free(struct cert *c);
DEFINE_CLEANUP(struct cert, cert_free)

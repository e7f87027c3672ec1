/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The JSON text of a verity-signature partition (UAPI.2): a root hash, and who signed it. Pure. */
#pragma once

#include "../merge/base.h"

#define SIGPART_TEXT_MAX ((size_t)64 * 1024)
#define SIGPART_READ_MAX ((size_t)1024 * 1024) /* larger partitions are refused */

struct sigpart {
	uint8_t hash[64];
	size_t hash_size;   /* 32, 48 or 64 */
	uint8_t *signature; /* owned: a PKCS#7 as DER, not looked into */
	size_t signature_size;
	bool has_fingerprint;
	uint8_t fingerprint[32]; /* SHA-256 of the signer's certificate */
};

/*
 * Reads the `len` bytes of a signature partition: a JSON object, then NUL bytes only. 0 with *ret to be
 * ended by sigpart_done(); -ENOMEM; or -EBADMSG and *ret_why, a static sentence (specs: verity.12 to
 * verity.17). Nothing is believed here: whether the signature is good is the caller's question.
 */
int sigpart_parse(const uint8_t *bytes, size_t len, struct sigpart *ret,
		  const char **ret_why);
void sigpart_done(struct sigpart *s);

/*
 * The text of such a partition, of text as signature.h has it: `root_hash` and `fingerprint` in lower-case hex,
 * `der` the signature. NUL bytes fill it up to a multiple of SIGPART_GRAIN. 0 with *ret, which the caller owns;
 * -ENOMEM; -EFBIG where it would not be read again (SIGPART_TEXT_MAX).
 */
#define SIGPART_GRAIN ((size_t)16 * 1024)
int sigpart_format(const char *root_hash, const char *fingerprint, const uint8_t *der,
		   size_t der_size, uint8_t **ret, size_t *ret_size);

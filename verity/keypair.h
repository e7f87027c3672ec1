/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A private key and the certificate that goes with it: who signs root hashes (specs: pack.11 to pack.13). */
#pragma once

#include "cert.h"

#define KEYPAIR_PASSPHRASE_MAX 1024

struct keypair;

/*
 * Asks for the passphrase of an encrypted key: writes at most `size` bytes and returns their number, or a
 * negative errno.
 */
typedef int (*keypair_ask_t)(void *userdata, char *ret, size_t size);

/*
 * Reads a private key and the first certificate, both PEM. `ask` is called only for a key that is encrypted. 0 with
 * *ret, which the caller owns; -ENOMEM; what `ask` returned; or with *ret_why, a static sentence:
 * -EBADMSG one of them cannot be read; -EKEYREJECTED wrong passphrase; -EPROTONOSUPPORT a key whose
 * signatures nobody would accept (cert.h); -ENOKEY they do not belong together.
 */
int keypair_read(const char *key, size_t key_size, const char *certificate,
		 size_t certificate_size, keypair_ask_t ask, void *userdata,
		 struct keypair **ret, const char **ret_why);

const struct cert *keypair_certificate(const struct keypair *k);

/* Whether two signatures of one text are the same bytes: true for RSA, not for the random numbers of ECDSA. */
bool keypair_is_deterministic(const struct keypair *k);

/*
 * Signs the text, without a line feed: a detached PKCS #7 as DER, by SHA-256, without attributes and
 * certificates, as signature_verify() wants it. 0 with *ret, which the caller owns; -ENOMEM; -EIO
 * where libcrypto failed.
 */
int keypair_sign(const struct keypair *k, const char *text, uint8_t **ret,
		 size_t *ret_size);

void keypair_free(struct keypair *k);
DEFINE_CLEANUP(struct keypair, keypair_free)

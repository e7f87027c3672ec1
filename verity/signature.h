/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whether a root hash is signed by somebody whom the host trusts (UAPI.2, specs: signature.*). */
#pragma once

#include "certs.h"

/* NULL stands for { 0 }. */
struct signature_rules {
	bool enforce_validity; /* otherwise the dates of certificates are only shown */
	int64_t now;	       /* seconds since 1970; only then looked at */
};

/*
 * What the certificate's dates have against it by the rules, a static sentence, or NULL where there is nothing or
 * nobody asks (signature.14).
 */
const char *signature_check_dates(const struct signer *s,
				  const struct signature_rules *rules);

/*
 * Verifies the detached PKCS #7 signature `der` over exactly the text `root_hash`, lower-case hex
 * without a newline. The signer is one of `trusted`; there are no chains, and certificates that come
 * with the signature do not count. 0 with *ret; otherwise *ret_why is a static sentence:
 * -EINVAL the root hash is none; -EBADMSG the signature is malformed; -EPROTONOSUPPORT an algorithm,
 * a key or a feature that is refused; -ENOKEY not by anybody who is trusted; -EKEYREJECTED wrong;
 * -EKEYEXPIRED right, but outside of the certificate's dates, where they are enforced; -EIO.
 */
int signature_verify(const struct certs *trusted, const struct signature_rules *rules,
		     const char *root_hash, const void *der, size_t len,
		     struct signer *ret, const char **ret_why);

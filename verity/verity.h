/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which protection an image gets, or why it is refused (specs: trust.*). Reads, and changes nothing. */
#pragma once

#include "dissect.h"
#include "signature.h"

/*
 * Verifies the signature of a part that has one. 0 with *ret; -EBADMSG and *ret_fault: unknown signer, bad or
 * unsupported signature; -EIO where libcrypto failed.
 */
int verity_check_signature(const struct dissect_part *p, const struct certs *trusted,
			   const struct signature_rules *dates, struct signer *ret,
			   struct fault *ret_fault);

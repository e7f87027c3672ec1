/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which protection an image gets. */
#include "verity.h"

#include "hex.h"

static enum fault_code code_of(int error) {
	return error == -ENOKEY		   ? FAULT_UNKNOWN_SIGNER
	       : error == -EPROTONOSUPPORT ? FAULT_UNSUPPORTED_SIGNATURE
					   : FAULT_BAD_SIGNATURE;
}

int verity_check_signature(const struct dissect_part *p, const struct certs *trusted,
			   const struct signature_rules *dates, struct signer *ret,
			   struct fault *ret_fault) {
	char root_hash[2 * SIDECAR_HASH_MAX + 1];
	const char *why = NULL;
	int r;

	if (!p->signature)
		return fault_set(ret_fault, FAULT_BAD_SIGNATURE, p->signature_about,
				 p->signature_why);
	hex_encode(p->root, p->root_size, root_hash);
	r = signature_verify(trusted, dates, root_hash, p->signature, p->signature_size,
			     ret, &why);
	return r == 0 || r == -EIO
		       ? r
		       : fault_set(ret_fault, code_of(r), p->signature_about, why);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whether a root hash is signed by somebody whom the host trusts: the gate, the signer, the key, the dates. */
#include "signature.h"

#include <string.h>

static int refuse(const char **ret_why, int error, const char *why) {
	*ret_why = why;
	return error;
}

/* signature.10: of SHA-256, SHA-384 or SHA-512. */
static bool is_root_hash(const char *text) {
	size_t len = strspn(text, "0123456789abcdef");

	return text[len] == '\0' && (len == 64 || len == 96 || len == 128);
}

const char *signature_check_dates(const struct signer *s,
				  const struct signature_rules *rules) {
	if (!rules || !rules->enforce_validity)
		return NULL;
	return rules->now < s->not_before  ? "the signer's certificate is not valid yet"
	       : rules->now > s->not_after ? "the signer's certificate has expired"
					   : NULL;
}

static int check_dates(const struct signer *s, const struct signature_rules *rules,
		       const char **ret_why) {
	const char *why = signature_check_dates(s, rules);

	return why ? refuse(ret_why, -EKEYEXPIRED, why) : 0;
}

static int check_signature(const struct cert *c, const struct pkcs7 *p,
			   const char *root_hash, const char **ret_why) {
	int r;

	if (c->weakness)
		return refuse(ret_why, -EPROTONOSUPPORT, c->weakness);
	if (c->algorithm != p->algorithm)
		return refuse(ret_why, -EKEYREJECTED,
			      "the signer's key is of another algorithm");
	r = cert_verify(c, p->digest, root_hash, strlen(root_hash), &p->signature);
	if (r == -EKEYREJECTED)
		return refuse(ret_why, r, "the signature is not that of this root hash");
	return r < 0 ? refuse(ret_why, r, "libcrypto cannot verify it") : 0;
}

/* signature.11: byte by byte, as the kernel does. */
static bool is_signer(const struct cert *c, const struct pkcs7 *p) {
	return der_equal(&c->issuer, &p->issuer) && der_equal(&c->serial, &p->serial);
}

int signature_verify(const struct certs *trusted, const struct signature_rules *rules,
		     const char *root_hash, const void *der, size_t len,
		     struct signer *ret, const char **ret_why) {
	const char *why = "nobody who is trusted has signed it";
	struct pkcs7 p;
	int r;

	if (!is_root_hash(root_hash))
		return refuse(ret_why, -EINVAL,
			      "the root hash is no lower-case hex of a known length");
	r = pkcs7_parse(der, len, &p, ret_why);
	if (r < 0)
		return r;
	r = -ENOKEY;
	/* Certificates of one maker may share a number by mistake: one that fits is enough. */
	for (size_t i = 0; r < 0 && i < trusted->n; i++) {
		const struct cert *c = trusted->items[i];

		if (!is_signer(c, &p))
			continue;
		r = check_signature(c, &p, root_hash, &why);
		if (r == 0)
			r = check_dates(&c->signer, rules, &why);
		if (r == 0)
			*ret = c->signer;
	}
	return r < 0 ? refuse(ret_why, r, why) : 0;
}

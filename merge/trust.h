/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is asked of an extension before it is merged: the policy for it, and who is trusted (specs: trust.*). */
#pragma once

#include "../verity/verity.h"
#include "digest.h"
#include "extension.h"

/* From weak to strict, but for the default, which depends on the host. */
enum trust_word { TRUST_AUTO, TRUST_ANY, TRUST_VERITY, TRUST_SIGNED };

/* The word of the command line, or -EINVAL; and back. */
int trust_word_from(const char *text, enum trust_word *ret);
const char *trust_word_text(enum trust_word w);

/* The word for whether the dates of certificates count, or -EINVAL; and back. */
int trust_validity_from(const char *text, bool *ret_enforce);
const char *trust_validity_text(bool enforce);

/* What the host asks of a class. */
struct trust_demand {
	enum trust_word word;
	const struct policy *given; /* in place of the defaults, or NULL; borrowed */
	struct signature_rules
		dates;	 /* what the dates of certificates decide, and by which time */
	bool is_lasting; /* it is not for one run, by who knows what lies where (trust.1) */
};

/* One run's. Begins with all zero and the demands filled in. */
struct trust {
	struct trust_demand demands[CLASS_COUNT];
	struct certs certs;
	bool is_read;	 /* the certificates were read */
	char **problems; /* what is wrong with them: sentences (strv) */
};

/* Reads the certificates below `root`, unless they were read. 0 or a negative errno. */
int trust_read(struct trust *t, int root);

/*
 * What holds for the extension. The certificates are read, once, below `root`, the host's own tree, if an answer
 * needs them. 0 with the policy and rules, which borrow from it and from `t`; or a negative errno.
 */
int trust_rules(struct trust *t, const struct extension *e, int root,
		struct policy *ret_policy, struct verity_rules *ret);

/*
 * Adds all that those answers depend on for the class, without reading a certificate, unless the dates in them count. 0
 * or a negative errno.
 */
int trust_digest(struct trust *t, const struct class *class, int root, struct digest *d);

void trust_done(struct trust *t);

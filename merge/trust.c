/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is asked of an extension before it is merged. */
#include "trust.h"

#include <string.h>

#include "strv.h"

/* The loader puts there what it found on the ESP, which has no owners (specs: policy.14). */
#define UNTRUSTED_PLACE "/.extra/"

static const char *const words[] = {
	[TRUST_AUTO] = "auto",
	[TRUST_ANY] = "any",
	[TRUST_VERITY] = "verity",
	[TRUST_SIGNED] = "signed",
};

int trust_word_from(const char *text, enum trust_word *ret) {
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strcmp(text, words[i]) == 0) {
			*ret = (enum trust_word)i;
			return 0;
		}
	return -EINVAL;
}

const char *trust_word_text(enum trust_word w) {
	return words[w];
}

static const char *const validity_words[] = { [false] = "ignore", [true] = "enforce" };

int trust_validity_from(const char *text, bool *ret_enforce) {
	for (size_t i = 0; i < ARRAY_SIZE(validity_words); i++)
		if (strcmp(text, validity_words[i]) == 0) {
			*ret_enforce = i;
			return 0;
		}
	return -EINVAL;
}

const char *trust_validity_text(bool enforce) {
	return validity_words[enforce];
}

static bool is_from_untrusted_place(const struct extension *e) {
	return !e->is_operand &&
	       strncmp(e->path, UNTRUSTED_PLACE, strlen(UNTRUSTED_PLACE)) == 0;
}

/* trust.1: what lies there is nobody's, so that a lasting policy lets in what is signed at most. */
static struct policy given_policy(const struct trust_demand *d,
				  const struct extension *e) {
	struct policy p = *d->given;

	if (d->is_lasting && is_from_untrusted_place(e))
		policy_limit(&p, POLICY_SIGNED);
	return p;
}

static struct policy default_policy(const struct extension *e) {
	const char *text = policy_default(e->class->name, is_from_untrusted_place(e));
	const char *why;
	struct policy p = { .fallback = POLICY_ABSENT };

	(void)policy_parse(text, strlen(text), &p, &why);
	return p;
}

int trust_read(struct trust *t, int root) {
	int r = t->is_read ? 0 : certs_read(root, &t->certs, &t->problems);

	t->is_read |= r == 0;
	return r;
}

/* trust.2: what the word takes away from the policy. */
static void narrow(const struct trust *t, enum trust_word word, struct policy *p) {
	switch (word) {
	case TRUST_ANY:
		break;
	case TRUST_AUTO:
		if (t->certs.is_wanted)
			policy_limit(p, POLICY_SIGNED);
		break;
	case TRUST_VERITY:
		policy_limit(p, POLICY_SIGNED | POLICY_VERITY);
		break;
	case TRUST_SIGNED:
		policy_limit(p, POLICY_SIGNED);
		break;
	}
}

int trust_rules(struct trust *t, const struct extension *e, int root,
		struct policy *ret_policy, struct verity_rules *ret) {
	const struct trust_demand *d = &t->demands[e->class->id];
	bool is_image = e->kind == EXTENSION_RAW || e->kind == EXTENSION_BLOCK;
	int r = is_image || d->word == TRUST_AUTO ? trust_read(t, root) : 0;

	if (r < 0)
		return r;
	*ret_policy = d->given ? given_policy(d, e) : default_policy(e);
	narrow(t, d->word, ret_policy);
	*ret = (struct verity_rules){
		.policy = ret_policy,
		.trusted = &t->certs,
		.dates = &d->dates,
		.tolerates_bad = d->word == TRUST_ANY,
		.tolerates_unknown = d->word == TRUST_AUTO && !t->certs.is_wanted,
	};
	return 0;
}

/* trust.12: not the time, but which certificates it has made valid or invalid since. */
static int digest_dates(struct trust *t, const struct signature_rules *dates, int root,
			struct digest *d) {
	int r = dates->enforce_validity ? trust_read(t, root) : 0;

	if (r < 0 || !dates->enforce_validity)
		return r;
	digest_add_text(d, trust_validity_text(true));
	for (size_t i = 0; i < t->certs.n; i++)
		digest_add_text(d,
				signature_check_dates(&t->certs.items[i]->signer, dates));
	return 0;
}

int trust_digest(struct trust *t, const struct class *class, int root, struct digest *d) {
	const struct trust_demand *demand = &t->demands[class->id];
	_cleanup_free_ char *policy = demand->given ? policy_format(demand->given) : NULL;
	int r;

	if (demand->given && !policy)
		return -ENOMEM;
	digest_add_text(d, trust_word_text(demand->word));
	digest_add_text(d, policy);
	digest_add_text(d, demand->is_lasting ? "lasting" : NULL);
	r = digest_dates(t, &demand->dates, root, d);
	return r < 0 ? r : certs_digest(root, d);
}

void trust_done(struct trust *t) {
	certs_done(&t->certs);
	strv_free(t->problems);
}

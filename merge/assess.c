/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whether an extension may be used at all, before anything is mounted. */
#include "assess.h"

#include <string.h>

#include "../verity/hex.h"
#include "file.h"
#include "image.h"

int assess_read_error(struct extension *e, int error) {
	if (file_is_shortage(error))
		return error;
	return verdict_set(&e->verdict, VERDICT_UNREADABLE, "cannot be read: %s",
			   strerror(-error));
}

int assess_fault(struct extension *e, const struct fault *f) {
	static const enum verdict_code codes[] = {
		[FAULT_NONE] = VERDICT_FITS,
		[FAULT_NO_PARTITION] = VERDICT_UNKNOWN_FORMAT,
		[FAULT_FOREIGN] = VERDICT_OTHER_ARCHITECTURE,
		[FAULT_AMBIGUOUS] = VERDICT_AMBIGUOUS,
		[FAULT_CORRUPT] = VERDICT_CORRUPT,
		[FAULT_UNSAFE] = VERDICT_UNSAFE_PATH,
		[FAULT_ROOT_HASH] = VERDICT_ROOT_HASH_MISMATCH,
		[FAULT_BAD_SIGNATURE] = VERDICT_BAD_SIGNATURE,
		[FAULT_UNSUPPORTED_SIGNATURE] = VERDICT_UNSUPPORTED_SIGNATURE,
		[FAULT_UNKNOWN_SIGNER] = VERDICT_UNKNOWN_SIGNER,
		[FAULT_VALIDITY] = VERDICT_OUTSIDE_VALIDITY,
		[FAULT_UNSIGNED] = VERDICT_UNSIGNED,
		[FAULT_BARE] = VERDICT_UNPROTECTED,
		[FAULT_POLICY] = VERDICT_POLICY_REFUSED,
	};
	_cleanup_free_ char *text = fault_text(f);

	return text ? verdict_set(&e->verdict, codes[f->code], "%s", text) : -ENOMEM;
}

static int judge_error(struct extension *e, int error, const struct fault *f) {
	if (error == 0)
		return 0;
	return error == -EBADMSG ? assess_fault(e, f) : assess_read_error(e, error);
}

/* A confext has nothing to seek in a usr partition, whatever the policy says. */
static void drop_usr(const struct extension *e, struct verity_parts *parts) {
	size_t kept = 0;

	for (size_t i = 0; i < parts->n; i++)
		if (e->class->id != CLASS_CONFEXT || parts->items[i].designator != GPT_USR)
			parts->items[kept++] = parts->items[i];
	parts->n = kept;
}

/* trust.4, trust.5: what is tolerated is never silent. */
static int add_remark(struct extension *e, const struct verity_part *p,
		      const struct verity_rules *rules) {
	if (p->remark.code == FAULT_NONE)
		return 0;
	if (!rules->tolerates_bad)
		return extension_add_note(e, "who has signed it is not known here");
	return extension_add_note(e, "its signature does not count: %s", p->remark.why);
}

static enum extension_protection protection_of(const struct verity_part *p) {
	return p->protection == POLICY_SIGNED	? EXTENSION_SIGNED
	       : p->protection == POLICY_VERITY ? EXTENSION_VERITY
						: EXTENSION_UNPROTECTED;
}

/* The weakest part counts; at most one has a hash tree (dissect.13). */
static int take_trust(struct extension *e, const struct verity_part *p) {
	struct extension_trust *t = &e->trust;
	char root_hash[2 * SIDECAR_HASH_MAX + 1];

	if (t->protection == EXTENSION_UNJUDGED || protection_of(p) < t->protection)
		t->protection = protection_of(p);
	if (p->protection == POLICY_UNPROTECTED)
		return 0;
	hex_encode(p->target.root, p->target.root_size, root_hash);
	t->root_hash = strdup(root_hash);
	if (p->protection == POLICY_SIGNED && !p->is_for_kernel) {
		t->signer = strdup(p->signer.subject);
		t->signer_fingerprint = strdup(p->signer.fingerprint);
		if (!t->signer || !t->signer_fingerprint)
			return -ENOMEM;
	}
	return t->root_hash ? 0 : -ENOMEM;
}

static int take_parts(struct extension *e, const struct verity_rules *rules,
		      struct assessment *a) {
	int r = 0;

	drop_usr(e, &a->parts);
	if (a->parts.n == 0)
		return verdict_set(&e->verdict, VERDICT_UNKNOWN_FORMAT,
				   "has no root partition, which a confext needs");
	if (a->dissection.note)
		r = extension_add_note(e, "%s", a->dissection.note);
	for (size_t i = 0; r == 0 && i < a->parts.n; i++) {
		r = add_remark(e, &a->parts.items[i], rules);
		if (r == 0)
			r = take_trust(e, &a->parts.items[i]);
	}
	return r;
}

static int take_apart(struct extension *e, const struct assess_options *o,
		      const struct verity_rules *rules, struct assessment *a,
		      struct fault *ret_fault) {
	bool is_file = e->kind == EXTENSION_RAW;
	_cleanup_close_ int directory = is_file ? image_open_directory(e, o->root)
						: -EBADF;
	struct dissect_image image = image_describe(e, directory, o->host->architecture,
						    o->host->secondary);
	int r = is_file && directory < 0 ? directory : 0;

	image.policy = rules->policy;
	if (r == 0)
		r = dissect(&image, &a->dissection, ret_fault);
	if (r == -EBADMSG && ret_fault->code == FAULT_NO_PARTITION &&
	    e->class->id == CLASS_CONFEXT)
		ret_fault->why = "has no root partition, which a confext needs";
	return r;
}

int assess_image(struct extension *e, const struct assess_options *o,
		 struct assessment *ret) {
	struct assessment a = ASSESSMENT_NONE;
	struct verity_rules rules;
	struct fault fault;
	int r = trust_rules(o->trust, e, o->root, &a.policy, &rules);

	if (r < 0)
		return r;
	/* The kernel does not look at dates, and nobody else knows the certificate. */
	if (!rules.dates->enforce_validity)
		rules.asks_kernel = o->asks_kernel;
	rules.userdata = o->userdata;
	r = take_apart(e, o, &rules, &a, &fault);
	if (r == 0)
		r = verity_judge(e->fd, &a.dissection, &rules, &a.parts, &fault);
	r = judge_error(e, r, &fault);
	if (r == 0 && extension_fits(e))
		r = take_parts(e, &rules, &a);
	if (r < 0 || !extension_fits(e))
		assessment_done(&a);
	*ret = a;
	return r;
}

void assessment_done(struct assessment *a) {
	dissection_done(&a->dissection);
	a->parts.n = 0;
}

int assess_directory(struct extension *e, const struct assess_options *o) {
	struct verity_rules rules;
	struct policy policy;
	struct fault fault;
	int r = o->trust ? trust_rules(o->trust, e, o->root, &policy, &rules) : 0;

	if (r == 0 && o->trust)
		r = verity_judge_directory(&policy, &fault);
	r = judge_error(e, r, &fault);
	if (r == 0 && extension_fits(e))
		e->trust.protection = EXTENSION_UNPROTECTED;
	return r;
}

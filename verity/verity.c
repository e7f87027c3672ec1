/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which protection an image gets: signatures first, then the policy, then a look at the hash tree. */
#include "verity.h"

#include <string.h>

#include "areas.h"
#include "hex.h"

#define READ_ONLY (UINT64_C(1) << 60) /* UAPI.2, partition attribute flags */
#define GROW_FILE_SYSTEM (UINT64_C(1) << 59)

/* --- signatures --- */

static enum fault_code code_of(int error) {
	return error == -ENOKEY		   ? FAULT_UNKNOWN_SIGNER
	       : error == -EKEYEXPIRED	   ? FAULT_VALIDITY
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

/* trust.14: what its keyring says decides when the hash tree is put in force. */
static bool is_for_kernel(const struct dissect_part *p, const struct verity_rules *rules,
			  const struct fault *f) {
	return f->code == FAULT_UNKNOWN_SIGNER && p->has_tree && rules->asks_kernel &&
	       rules->asks_kernel(rules->userdata);
}

static bool is_tolerated(const struct verity_rules *rules, const struct fault *f) {
	return rules->tolerates_bad ||
	       (rules->tolerates_unknown && f->code == FAULT_UNKNOWN_SIGNER);
}

/* trust.3 to trust.5: the protection that the part has to offer. */
static int judge_signature(const struct dissect_part *p, const struct verity_rules *rules,
			   struct verity_part *v, struct fault *ret_fault) {
	struct fault fault;
	int r;

	v->protection = p->has_tree ? POLICY_VERITY : POLICY_UNPROTECTED;
	if (!p->has_signature)
		return 0;
	r = verity_check_signature(p, rules->trusted, rules->dates, &v->signer, &fault);
	if (r == 0)
		v->protection = POLICY_SIGNED;
	if (r != -EBADMSG)
		return r;
	v->is_for_kernel = is_for_kernel(p, rules, &fault);
	if (v->is_for_kernel) {
		v->protection = POLICY_SIGNED;
		return 0;
	}
	if (!is_tolerated(rules, &fault)) {
		*ret_fault = fault;
		return r;
	}
	v->remark = fault;
	return 0;
}

/* --- policy --- */

/* Says what a part lacks in words of its own, as that is what people will ask about. */
static int lack_protection(const struct policy *policy, enum policy_designator d,
			   const struct policy_partition *found, const char *why,
			   struct fault *ret_fault) {
	uint32_t asked = policy_get(policy, d) & POLICY_PROTECTIONS;

	if (policy_use(policy, d) != POLICY_USE_YES)
		return fault_set(ret_fault, FAULT_POLICY, NULL, why);
	if (asked & POLICY_SIGNED && !(asked & (POLICY_VERITY | POLICY_UNPROTECTED)) &&
	    found->protection != POLICY_SIGNED)
		return fault_set(ret_fault, FAULT_UNSIGNED, NULL,
				 "the policy asks for a signature, and it has none");
	if (asked & POLICY_VERITY && !(asked & POLICY_UNPROTECTED) &&
	    found->protection == POLICY_UNPROTECTED)
		return fault_set(ret_fault, FAULT_BARE, NULL,
				 "the policy asks for a hash tree, and it has none");
	return fault_set(ret_fault, FAULT_POLICY, NULL, why);
}

static int check_policy(const struct policy *policy, enum policy_designator d,
			const struct policy_partition *found, uint32_t *ret_usable,
			struct fault *ret_fault) {
	const char *why = NULL;

	if (policy_check(policy, d, found, ret_usable, &why) < 0)
		return lack_protection(policy, d, found, why, ret_fault);
	return *ret_usable ? 0
			   : fault_set(ret_fault, FAULT_POLICY, NULL,
				       "the policy ignores all that it has");
}

static struct policy_partition describe(const struct dissect_part *p,
					const struct verity_part *v) {
	return (struct policy_partition){
		.is_present = true,
		.protection = v->protection,
		.is_read_only = p->attributes & READ_ONLY,
		.is_growfs = p->attributes & GROW_FILE_SYSTEM,
	};
}

/* A signature that is tolerated is still the reason where the policy wants a good one. */
static int judge_policy(const struct dissect_part *p, const struct verity_rules *rules,
			struct verity_part *v, struct fault *ret_fault) {
	const struct policy_partition found = describe(p, v);
	uint32_t usable = 0;
	int r = check_policy(rules->policy,
			     dissect_policy_designator(p->designator, GPT_DATA), &found,
			     &usable, ret_fault);

	if (r == -EBADMSG && ret_fault->code == FAULT_UNSIGNED &&
	    v->remark.code != FAULT_NONE)
		*ret_fault = v->remark;
	v->may_be_bare = usable & POLICY_UNPROTECTED;
	return r;
}

/* policy.10: what the policy wants to be there. */
static int check_absent(const struct dissection *d, const struct policy *policy,
			struct fault *ret_fault) {
	const struct policy_partition absent = { .is_present = false };

	for (int i = 0; i < POLICY_DESIGNATOR_COUNT; i++) {
		const char *why = NULL;
		uint32_t usable;

		if (!(d->present & 1U << i) &&
		    policy_check(policy, i, &absent, &usable, &why) < 0)
			return fault_set(ret_fault, FAULT_POLICY,
					 policy_designator_name(i), why);
	}
	return 0;
}

int verity_judge_directory(const struct policy *policy, struct fault *ret_fault) {
	const struct policy_partition found = { .is_present = true,
						.protection = POLICY_UNPROTECTED };
	uint32_t usable;

	return check_policy(policy, POLICY_ROOT, &found, &usable, ret_fault);
}

int verity_check_format(const struct policy *policy, const struct verity_part *p,
			const char *fstype, struct fault *ret_fault) {
	enum policy_designator d = dissect_policy_designator(p->designator, GPT_DATA);
	uint32_t asked = policy_get(policy, d) & POLICY_FSTYPES;
	const struct policy_partition found = {
		.is_present = true,
		.protection = p->protection,
		.is_read_only = policy_get(policy, d) & POLICY_READ_ONLY_ON,
		.is_growfs = policy_get(policy, d) & POLICY_GROWFS_ON,
		.fstype = fstype
	};
	const char *why = NULL;
	uint32_t usable;

	if (asked == POLICY_FSTYPES || policy_check(policy, d, &found, &usable, &why) == 0)
		return 0;
	return fault_set(ret_fault, FAULT_POLICY, NULL, why);
}

/* --- hash trees --- */

/* trust.7: from the root hash down to the first block of data. */
static int check_tree(struct areas *a, struct fault *ret_fault) {
	_cleanup_(hashtree_reader_freep) struct hashtree_reader *reader = NULL;
	_cleanup_(hashtree_freep) struct hashtree *tree = NULL;
	uint8_t block[SUPERBLOCK_BLOCK_MAX];
	struct hashtree_fault where;
	int r = areas_open(a, 0, &tree, ret_fault);

	if (r < 0)
		return r;
	r = hashtree_reader_new(tree, &reader);
	if (r == 0)
		r = areas_read(a, HASHTREE_DATA, 0, block,
			       hashtree_superblock(tree)->data_block_size);
	if (r == 0)
		r = hashtree_check(reader, 0, block, &where);
	if (r != -EBADMSG)
		return r;
	if (where.area == HASHTREE_HASH &&
	    where.level + 1 == hashtree_superblock(tree)->geometry.levels)
		return fault_set(ret_fault, FAULT_ROOT_HASH, NULL,
				 "its hash tree is not the one of its root hash");
	return fault_set(ret_fault, FAULT_CORRUPT, NULL,
			 where.area == HASHTREE_DATA
				 ? "its first block is not the one that its hash tree names"
				 : "a block of its hash tree is damaged");
}

/* A kernel that checks signatures itself is given only those that count. */
static struct verity_target target_of(int fd, const struct dissect_part *p,
				      bool is_signed) {
	struct verity_target t = {
		.data_fd = fd,
		.hash_fd = p->tree_fd,
		.data_offset = p->offset,
		.data_size = p->size,
		.hash_offset = p->tree_offset,
		.hash_size = p->tree_size,
		.root_size = p->root_size,
		.signature = is_signed ? p->signature : NULL,
		.signature_size = is_signed ? p->signature_size : 0,
	};

	memcpy(t.root, p->root, p->root_size);
	return t;
}

static int judge_part(int fd, const struct dissect_part *p,
		      const struct verity_rules *rules, struct verity_part *v,
		      struct fault *ret_fault) {
	struct areas areas = { fd, p };
	int r;

	*v = (struct verity_part){ .designator = p->designator,
				   .offset = p->offset,
				   .size = p->size };
	r = judge_signature(p, rules, v, ret_fault);
	if (r == 0)
		r = judge_policy(p, rules, v, ret_fault);
	if (r < 0 || !p->has_tree)
		return r;
	v->target = target_of(fd, p, v->protection == POLICY_SIGNED);
	return check_tree(&areas, ret_fault);
}

int verity_judge(int fd, const struct dissection *d, const struct verity_rules *rules,
		 struct verity_parts *ret, struct fault *ret_fault) {
	struct verity_parts parts = { .n = 0 };
	int r = check_absent(d, rules->policy, ret_fault);

	for (size_t i = 0; r == 0 && i < d->n_parts; i++)
		r = judge_part(fd, &d->parts[i], rules, &parts.items[parts.n++],
			       ret_fault);
	if (r == 0)
		*ret = parts;
	return r;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which partitions of a disk image are used, once the policy has had its say. */
#include <string.h>

#include "../merge/file.h"
#include "dissect.h"

/* Partitions that are never used here, but that a policy may forbid: by their types, as printed (UAPI.2). */
static const struct {
	enum policy_designator designator;
	uint8_t type[16];
} others[] = {
	{ POLICY_HOME,
	  { 0x93, 0x3a, 0xc7, 0xe1, 0x2e, 0xb4, 0x4f, 0x13, 0xb8, 0x44, 0x0e, 0x14, 0xe2,
	    0xae, 0xf9, 0x15 } },
	{ POLICY_SRV,
	  { 0x3b, 0x8f, 0x84, 0x25, 0x20, 0xe0, 0x4f, 0x3b, 0x90, 0x7f, 0x1a, 0x25, 0xa7,
	    0x6f, 0x98, 0xe8 } },
	{ POLICY_ESP,
	  { 0xc1, 0x2a, 0x73, 0x28, 0xf8, 0x1f, 0x11, 0xd2, 0xba, 0x4b, 0x00, 0xa0, 0xc9,
	    0x3e, 0xc9, 0x3b } },
	{ POLICY_XBOOTLDR,
	  { 0xbc, 0x13, 0xc2, 0xff, 0x59, 0xe6, 0x42, 0x62, 0xa3, 0x52, 0xb2, 0x75, 0xfd,
	    0x6f, 0x71, 0x72 } },
	{ POLICY_SWAP,
	  { 0x06, 0x57, 0xfd, 0x6d, 0xa4, 0xab, 0x43, 0xc4, 0x84, 0xe5, 0x09, 0x33, 0xc8,
	    0x4b, 0x4f, 0x4f } },
	{ POLICY_TMP,
	  { 0x7e, 0xc6, 0xf5, 0x57, 0x3b, 0xc5, 0x4a, 0xca, 0xb2, 0x93, 0x16, 0xef, 0x5d,
	    0xf6, 0x39, 0xd1 } },
	{ POLICY_VAR,
	  { 0x4d, 0x21, 0xb0, 0x16, 0xb5, 0x34, 0x45, 0xc2, 0xa9, 0xfb, 0x5c, 0x16, 0xe0,
	    0x91, 0xfd, 0x2d } },
};

enum policy_designator dissect_policy_designator(enum gpt_designator d,
						 enum gpt_role role) {
	static const enum policy_designator names[GPT_DESIGNATOR_COUNT][GPT_ROLE_COUNT] = {
		[GPT_ROOT] = { POLICY_ROOT, POLICY_ROOT_VERITY, POLICY_ROOT_VERITY_SIG },
		[GPT_USR] = { POLICY_USR, POLICY_USR_VERITY, POLICY_USR_VERITY_SIG },
	};

	return names[d][role];
}

enum policy_designator dissect_designator_of(const struct gpt_partition *p) {
	const char *architecture;
	enum gpt_designator d;
	enum gpt_role role;

	if (gpt_type_lookup(p->type, &d, &role, &architecture))
		return dissect_policy_designator(d, role);
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		if (memcmp(others[i].type, p->type, sizeof(p->type)) == 0)
			return others[i].designator;
	return POLICY_DESIGNATOR_COUNT;
}

/* policy.10: what is ignored is out before one of several partitions is chosen. */
static int apply_policy(const struct policy *policy, struct gpt *g, uint32_t *ret_present,
			struct fault *ret_fault) {
	size_t kept = 0;

	for (size_t i = 0; i < g->n_partitions; i++) {
		enum policy_designator d = dissect_designator_of(&g->partitions[i]);
		enum policy_use use = POLICY_USE_YES;

		if (gpt_is_candidate(&g->partitions[i]) && d < POLICY_DESIGNATOR_COUNT) {
			*ret_present |= 1U << d;
			use = policy ? policy_use(policy, d) : POLICY_USE_YES;
		}
		if (use == POLICY_USE_DENIED)
			return fault_set(ret_fault, FAULT_POLICY,
					 policy_designator_name(d),
					 "the policy allows no such partition");
		if (use == POLICY_USE_YES)
			g->partitions[kept++] = g->partitions[i];
	}
	g->n_partitions = kept;
	return 0;
}

static enum fault_code code_of(int error) {
	return error == -ENOENT	    ? FAULT_NO_PARTITION
	       : error == -ENOEXEC  ? FAULT_FOREIGN
	       : error == -ENOTUNIQ ? FAULT_AMBIGUOUS
				    : FAULT_CORRUPT;
}

static int refuse(struct fault *ret_fault, int error, const char *why) {
	return error == -ENOMEM ? error : fault_set(ret_fault, code_of(error), NULL, why);
}

int dissect_table(const struct dissect_image *image, struct gpt *ret_table,
		  struct gpt_choice *ret_choice, uint32_t *ret_present,
		  struct fault *ret_fault) {
	_cleanup_free_ char *head = malloc(GPT_HEAD);
	const char *why = NULL;
	ssize_t n;
	int r;

	if (!head)
		return -ENOMEM;
	n = file_read_at(image->fd, head, image->size < GPT_HEAD ? image->size : GPT_HEAD,
			 0);
	if (n < 0)
		return (int)n;
	r = gpt_parse(head, (size_t)n, image->size, ret_table, &why);
	if (r < 0)
		return refuse(ret_fault, r, why);
	r = apply_policy(image->policy, ret_table, ret_present, ret_fault);
	if (r < 0)
		return r;
	r = gpt_choose(ret_table, image->native, image->secondary, image->compare,
		       ret_choice, &why);
	return r < 0 ? refuse(ret_fault, r, why) : 0;
}

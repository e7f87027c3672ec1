/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What an image policy comes to for each partition, and what it says about those that an image has. */
#include "policy.h"

#include <string.h>

static const struct {
	const char *class;
	bool strict;
	const char *text;
} defaults[] = {
	{ "sysext", false,
	  "root=verity+signed+encrypted+unprotected+absent:usr=verity+signed+encrypted+unprotected+absent" },
	{ "confext", false, "root=verity+signed+encrypted+unprotected+absent" },
	{ "sysext", true, "root=signed+absent:usr=signed+absent" },
	{ "confext", true, "root=signed+absent" },
};

/* Names of file systems as the kernel has them, which are also those of the flags. */
static const struct {
	const char *name;
	uint32_t flag;
} fstypes[] = {
	{ "btrfs", POLICY_BTRFS },	 { "erofs", POLICY_EROFS },
	{ "ext4", POLICY_EXT4 },	 { "f2fs", POLICY_F2FS },
	{ "squashfs", POLICY_SQUASHFS }, { "vfat", POLICY_VFAT },
	{ "xfs", POLICY_XFS },
};

/* The data partition that a verity or signature partition belongs to, or -1. */
static int data_of(enum policy_designator d) {
	switch (d) {
	case POLICY_ROOT_VERITY:
	case POLICY_ROOT_VERITY_SIG:
		return POLICY_ROOT;
	case POLICY_USR_VERITY:
	case POLICY_USR_VERITY_SIG:
		return POLICY_USR;
	case POLICY_ROOT:
	case POLICY_USR:
	case POLICY_HOME:
	case POLICY_SRV:
	case POLICY_ESP:
	case POLICY_XBOOTLDR:
	case POLICY_SWAP:
	case POLICY_TMP:
	case POLICY_VAR:
	case POLICY_DESIGNATOR_COUNT:
		break;
	}
	return -1;
}

/* policy.6 */
static uint32_t normalize(uint32_t flags, enum policy_designator d) {
	if (data_of(d) >= 0)
		flags &= ~(uint32_t)((POLICY_PROTECTIONS & ~POLICY_UNPROTECTED) |
				     POLICY_FSTYPES);
	else if (d != POLICY_ROOT && d != POLICY_USR)
		flags &= ~(uint32_t)(POLICY_VERITY | POLICY_SIGNED);
	if ((flags & POLICY_OPEN) == POLICY_ABSENT)
		flags = POLICY_ABSENT;
	return flags;
}

/* policy.7: what holds for the data partition, said about its verity or signature partition; or 0. */
static uint32_t derive(const struct policy *p, enum policy_designator d) {
	bool is_signature = d == POLICY_ROOT_VERITY_SIG || d == POLICY_USR_VERITY_SIG;
	int data = data_of(d);
	uint32_t flags;

	if (data < 0)
		return 0;
	flags = normalize(p->has_rule[data] ? p->rule[data] : p->fallback,
			  (enum policy_designator)data);
	if (!(flags & (is_signature ? POLICY_SIGNED : POLICY_VERITY | POLICY_SIGNED)))
		return 0;
	return POLICY_UNPROTECTED | (flags & ~(uint32_t)POLICY_PROTECTIONS);
}

uint32_t policy_get(const struct policy *p, enum policy_designator d) {
	if (p->has_rule[d])
		return normalize(p->rule[d], d);
	return normalize(derive(p, d) ?: p->fallback, d);
}

bool policy_equal(const struct policy *a, const struct policy *b) {
	for (int d = 0; d < POLICY_DESIGNATOR_COUNT; d++)
		if (policy_get(a, d) != policy_get(b, d))
			return false;
	return a->fallback == b->fallback;
}

const char *policy_default(const char *class, bool strict) {
	for (size_t i = 0; i < ARRAY_SIZE(defaults); i++)
		if (defaults[i].strict == strict && strcmp(defaults[i].class, class) == 0)
			return defaults[i].text;
	return "~";
}

void policy_limit(struct policy *p, uint32_t protections) {
	for (int d = POLICY_ROOT; d <= POLICY_USR; d++) {
		uint32_t flags = policy_get(p, d);

		flags &= ~(uint32_t)POLICY_PROTECTIONS | protections;
		/* Without any way to be used it must not be there; it never comes to mean "open". */
		p->rule[d] = flags & POLICY_OPEN ? flags : POLICY_ABSENT;
		p->has_rule[d] = true;
	}
}

/* --- decisions --- */

enum policy_use policy_use(const struct policy *p, enum policy_designator d) {
	uint32_t flags = policy_get(p, d);

	if (flags & POLICY_PROTECTIONS)
		return POLICY_USE_YES;
	return flags & POLICY_UNUSED ? POLICY_USE_NO : POLICY_USE_DENIED;
}

/* policy.11: the protections that a partition which has `protection` qualifies for. */
static uint32_t qualify(uint32_t protection) {
	switch (protection) {
	case POLICY_SIGNED:
		return POLICY_SIGNED | POLICY_VERITY | POLICY_UNPROTECTED;
	case POLICY_VERITY:
		return POLICY_VERITY | POLICY_UNPROTECTED;
	case POLICY_ENCRYPTED_WITH_INTEGRITY:
		return POLICY_ENCRYPTED | POLICY_ENCRYPTED_WITH_INTEGRITY;
	default:
		return protection;
	}
}

static uint32_t find_fstype(const char *name) {
	for (size_t i = 0; i < ARRAY_SIZE(fstypes); i++)
		if (strcmp(fstypes[i].name, name) == 0)
			return fstypes[i].flag;
	return 0;
}

/* policy.12 and policy.13: what is known of the partition beside its protection. */
static const char *find_fault(uint32_t flags, const struct policy_partition *found) {
	if (!(flags & (found->is_read_only ? POLICY_READ_ONLY_ON : POLICY_READ_ONLY_OFF)))
		return "the policy forbids this state of the partition's read-only attribute";
	if (!(flags & (found->is_growfs ? POLICY_GROWFS_ON : POLICY_GROWFS_OFF)))
		return "the policy forbids this state of the partition's grow-file-system attribute";
	if (found->fstype && (flags & POLICY_FSTYPES) != POLICY_FSTYPES &&
	    !(flags & find_fstype(found->fstype)))
		return "the policy forbids this file system type";
	return NULL;
}

/* A verity or signature partition that no rule names is only missed through its data partition. */
static bool may_be_missing(const struct policy *p, enum policy_designator d) {
	return policy_get(p, d) & POLICY_ABSENT || (data_of(d) >= 0 && !p->has_rule[d]);
}

int policy_check(const struct policy *p, enum policy_designator d,
		 const struct policy_partition *found, uint32_t *ret_usable,
		 const char **ret_why) {
	uint32_t flags = policy_get(p, d), usable = 0;
	const char *why = NULL;

	if (!found->is_present) {
		if (!may_be_missing(p, d))
			why = "a partition that the policy asks for is missing";
	} else if (policy_use(p, d) == POLICY_USE_DENIED) {
		why = "the policy does not allow such a partition";
	} else if (policy_use(p, d) == POLICY_USE_YES) {
		usable = flags & qualify(found->protection);
		why = usable ? find_fault(data_of(d) < 0 ? flags : flags | POLICY_FSTYPES,
					  found)
			     : "the partition lacks the protection that the policy asks for";
	}
	if (why) {
		*ret_why = why;
		return -ERFKILL;
	}
	*ret_usable = usable;
	return 0;
}

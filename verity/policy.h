/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The image policy language of systemd.image-policy(7): which partitions may be used, with which protection. Pure. */
#pragma once

#include "../merge/base.h"

#define POLICY_TEXT_MAX 4096 /* longer texts are refused */

/* In the order of the canonical text. */
enum policy_designator {
	POLICY_ROOT,
	POLICY_USR,
	POLICY_HOME,
	POLICY_SRV,
	POLICY_ESP,
	POLICY_XBOOTLDR,
	POLICY_SWAP,
	POLICY_ROOT_VERITY,
	POLICY_USR_VERITY,
	POLICY_ROOT_VERITY_SIG,
	POLICY_USR_VERITY_SIG,
	POLICY_TMP,
	POLICY_VAR,
	POLICY_DESIGNATOR_COUNT,
};

enum policy_flag {
	POLICY_VERITY = 1 << 0,
	POLICY_SIGNED = 1 << 1,
	POLICY_ENCRYPTED = 1 << 2,
	POLICY_ENCRYPTED_WITH_INTEGRITY = 1 << 3, /* always set beside POLICY_ENCRYPTED */
	POLICY_UNPROTECTED = 1 << 4,
	POLICY_UNUSED = 1 << 5,
	POLICY_ABSENT = 1 << 6,
	POLICY_READ_ONLY_ON = 1 << 7,
	POLICY_READ_ONLY_OFF = 1 << 8,
	POLICY_GROWFS_OFF = 1 << 9,
	POLICY_GROWFS_ON = 1 << 10,
	POLICY_BTRFS = 1 << 11,
	POLICY_EROFS = 1 << 12,
	POLICY_EXT4 = 1 << 13,
	POLICY_F2FS = 1 << 14,
	POLICY_SQUASHFS = 1 << 15,
	POLICY_VFAT = 1 << 16,
	POLICY_XFS = 1 << 17,
	/* Sets of them. */
	POLICY_PROTECTIONS = POLICY_VERITY | POLICY_SIGNED | POLICY_ENCRYPTED |
			     POLICY_ENCRYPTED_WITH_INTEGRITY | POLICY_UNPROTECTED,
	POLICY_IGNORE = POLICY_UNUSED | POLICY_ABSENT,
	POLICY_OPEN = POLICY_PROTECTIONS | POLICY_IGNORE,
	POLICY_READ_ONLY = POLICY_READ_ONLY_ON | POLICY_READ_ONLY_OFF,
	POLICY_GROWFS = POLICY_GROWFS_OFF | POLICY_GROWFS_ON,
	POLICY_FSTYPES = POLICY_BTRFS | POLICY_EROFS | POLICY_EXT4 | POLICY_F2FS |
			 POLICY_SQUASHFS | POLICY_VFAT | POLICY_XFS,
};

/* Plain values: copy it, compare it by policy_get(). What was left open in the text is filled in. */
struct policy {
	bool has_rule[POLICY_DESIGNATOR_COUNT];
	uint32_t rule[POLICY_DESIGNATOR_COUNT]; /* where there is one */
	uint32_t fallback;			/* for partitions without a rule */
};

/*
 * Parses `len` bytes of text (specs: policy.1 to policy.5). 0; or with *ret_why, a static sentence: -EINVAL not of
 * the form PARTITION=FLAG+FLAG; -ENOTUNIQ two rules for one partition; -EBADSLT unknown partition; -EBADRQC
 * unknown flag; -E2BIG over POLICY_TEXT_MAX.
 */
int policy_parse(const char *text, size_t len, struct policy *ret, const char **ret_why);

/* A text of the same meaning, without what need not be said (specs: policy.9); NULL where memory ran out. */
char *policy_format(const struct policy *p);

/* The flags that hold for a partition, with or without a rule of its own (specs: policy.6 to policy.8). */
uint32_t policy_get(const struct policy *p, enum policy_designator d);

/* Whether both say the same about every partition. */
bool policy_equal(const struct policy *a, const struct policy *b);

/* The designator of that name, or -ENOENT; and the name of a designator, static. */
int policy_designator_from(const char *name, size_t len);
const char *policy_designator_name(enum policy_designator d);

/*
 * The text of the default for a class, "sysext" or "confext"; `strict` for images from an untrusted place,
 * as /.extra/ in the initrd. Of any other class nothing may be used: "~" (specs: policy.14). Static.
 */
const char *policy_default(const char *class, bool strict);

/*
 * Takes away all protections of root and usr but `protections`, so that what stays is at least as
 * strict: how a demand from elsewhere narrows a policy (specs: policy.15).
 */
void policy_limit(struct policy *p, uint32_t protections);

/* What is to be done with a partition of that kind, before one of several is chosen. */
enum policy_use {
	POLICY_USE_YES,
	POLICY_USE_NO,	   /* it is ignored, as if it were not there */
	POLICY_USE_DENIED, /* the image is refused if it has one */
};
enum policy_use policy_use(const struct policy *p, enum policy_designator d);

/* What an image has. A bare file system or a directory counts as root, without attributes. */
struct policy_partition {
	bool is_present;
	uint32_t protection; /* the one in force; POLICY_UNPROTECTED for verity and signatures */
	bool is_read_only,
		is_growfs; /* the attributes of the partition table: bits 60 and 59 */
	const char *fstype; /* by the kernel's name; NULL where it is not known or does not matter */
};

/*
 * Whether the policy allows the partition of designator `d`. 0 and *ret_usable, the protections by which
 * it may be used, strongest counts, or 0 where it is absent or ignored; -ERFKILL and *ret_why, a static
 * sentence, where the image is refused (specs: policy.10 to policy.13).
 */
int policy_check(const struct policy *p, enum policy_designator d,
		 const struct policy_partition *found, uint32_t *ret_usable,
		 const char **ret_why);

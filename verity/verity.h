/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which protection an image gets, or why it is refused: what it consists of, who has signed it, and what the policy
 * says to that (specs: trust.*). Reads, and changes nothing; needs no privilege.
 */
#pragma once

#include "dissect.h"
#include "signature.h"
#include "target.h"

/* What holds for an image. All borrowed. */
struct verity_rules {
	const struct policy *policy; /* the same as struct dissect_image had */
	const struct certs *trusted;
	const struct signature_rules *dates; /* or NULL */
	/* Asked for a signature by somebody unknown: whether the kernel will be shown it (trust.14). Or NULL. */
	bool (*asks_kernel)(void *userdata);
	void *userdata;		/* of asks_kernel */
	bool tolerates_unknown; /* who is not known is as good as nobody (trust.5) */
	bool tolerates_bad;	/* and so is a signature that does not verify (trust.4) */
};

/* A part that is used. */
struct verity_part {
	enum gpt_designator designator;
	uint64_t offset, size; /* bytes of the image */
	uint32_t protection; /* to be put in force: POLICY_SIGNED, _VERITY, _UNPROTECTED */
	bool may_be_bare;    /* the policy allows it without protection as well */
	struct verity_target
		target; /* for POLICY_SIGNED and POLICY_VERITY; borrows from the dissection */
	struct signer signer; /* of POLICY_SIGNED, unless: */
	bool is_for_kernel; /* protected as said only if the kernel verifies the signature */
	struct fault remark; /* what is tolerated about its signature, or FAULT_NONE */
};

struct verity_parts {
	struct verity_part items[GPT_DESIGNATOR_COUNT];
	size_t n;
};

/*
 * Judges the image `fd`, which was dissected under the same policy. The hash tree is checked down to the first
 * block of data, so that a tree of another image is seen at once. 0 with *ret; -EBADMSG and *ret_fault where the
 * image is refused; or an error of reading or memory.
 */
int verity_judge(int fd, const struct dissection *d, const struct verity_rules *rules,
		 struct verity_parts *ret, struct fault *ret_fault);

/* The same for a directory, which is a root file system without protection (policy.14). */
int verity_judge_directory(const struct policy *policy, struct fault *ret_fault);

/* Whether the policy allows that part to have a file system of this type (policy.13); as above. */
int verity_check_format(const struct policy *policy, const struct verity_part *p,
			const char *fstype, struct fault *ret_fault);

/*
 * Verifies the signature of a part that has one. 0 with *ret; -EBADMSG and *ret_fault: unknown signer, bad or
 * unsupported signature, certificate outside of its dates; -EIO where libcrypto failed.
 */
int verity_check_signature(const struct dissect_part *p, const struct certs *trusted,
			   const struct signature_rules *dates, struct signer *ret,
			   struct fault *ret_fault);

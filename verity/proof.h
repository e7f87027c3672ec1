/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a disk image proves of itself, in userspace: its root hash, who signed that, and every block under it. */
#pragma once

#include "dissect.h"
#include "hashtree.h"
#include "signature.h"

#define PROOF_HASH_TEXT_MAX (SUPERBLOCK_DIGEST_MAX * 2 + 1)

/* How much is proved (specs: proof.1). */
enum proof_level {
	PROOF_NONE,   /* the image carries no verity data */
	PROOF_VERITY, /* every block is the one under a root hash that nobody has signed */
	PROOF_SIGNED, /* the root hash is signed by a certificate that is trusted */
};

struct proof {
	enum proof_level level;
	char root_hash[PROOF_HASH_TEXT_MAX]; /* lower-case hex, "" without verity data */
	struct signer signer;		     /* of PROOF_SIGNED */
	uint64_t blocks, block_size;	     /* what was checked */
	bool has_wrong_block;
	uint64_t wrong_byte; /* where it begins, in the image or in the hash tree beside it */
};

/* Borrowed. */
struct proof_options {
	const struct certs *trusted;
	const struct signature_rules *dates; /* or NULL */
	struct hashtree_sweep sweep;
};

/*
 * Checks the image: partition table or sidecars, agreement of all that names its root hash, signature, and all
 * blocks, on all CPUs. Nothing is mounted and no privilege is needed. 0 with *ret. Otherwise *ret
 * says how far it came: -EBADMSG and *ret_fault; or an error of reading or of memory.
 */
int proof_check(const struct dissect_image *image, const struct proof_options *o,
		struct proof *ret, struct fault *ret_fault);

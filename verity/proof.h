/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a disk image proves of itself, in userspace: its root hash, who signed that, and every block under it. */
#pragma once

#include "certs.h"
#include "gpt.h"
#include "hashtree.h"

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
};

/* Borrowed. */
struct proof_options {
	const char *native, *secondary; /* architectures, as for gpt_choose() */
	int (*compare)(const char *a, const char *b); /* of partition labels */
	const struct certs *trusted;
	struct hashtree_sweep sweep;
};

/*
 * Checks the image `fd` of `size` bytes: partition table, agreement of all that names its root hash,
 * signature, and all blocks, on all CPUs. Nothing is mounted and no privilege is needed. 0 with *ret.
 * Otherwise *ret_why is a static sentence and *ret says how far it came: -EBADMSG the image is damaged or
 * contradicts itself; -ENOKEY, -EKEYREJECTED, -EPROTONOSUPPORT as signature_verify(); -ENOENT,
 * -ENOEXEC, -ENOTUNIQ as gpt_choose(); or an error of reading or of memory (*ret_why NULL).
 */
int proof_check(int fd, uint64_t size, const struct proof_options *o, struct proof *ret,
		const char **ret_why);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* All that can be told of an image without mounting it: its table, hash tree, signer, and what the policy says to it. */
#pragma once

#include "../verity/certs.h"
#include "../verity/dissect.h"
#include "../verity/superblock.h"
#include "extension.h"
#include "host.h"

/* What came of the signature, if there is one. */
enum anatomy_signature {
	ANATOMY_UNSIGNED,
	ANATOMY_TRUSTED, /* right, by somebody whom this host trusts */
	ANATOMY_UNKNOWN, /* by nobody whom this host trusts */
	ANATOMY_BAD,	 /* malformed, wrong, or of a kind that is refused */
};

/* One partition of the table, or the whole of a bare file system. */
struct anatomy_partition {
	const struct gpt_partition *entry; /* NULL for a bare file system */
	const char *designator; /* of the policy: "root-verity"; NULL: unknown */
	const char *content; /* "erofs", "hash tree", "signature"; NULL where it is not known */
	const char *architecture; /* or NULL */
	uint64_t offset, size;
	bool is_used; /* by a host of this architecture */
};

struct anatomy {
	bool is_disk;
	struct gpt table;
	struct anatomy_partition *partitions;
	size_t n_partitions;
	char *fault; /* why it cannot be used, a sentence, or NULL */

	/* of the part that has a hash tree; at most one has */
	bool has_tree;
	struct superblock superblock; /* algorithm NULL where it is malformed */
	char root_hash[2 * SIDECAR_HASH_MAX + 1];
	enum anatomy_signature signature;
	const char *signature_why;		   /* static, or NULL */
	struct signer signer;			   /* of ANATOMY_TRUSTED */
	char claimed_signer[CERT_FINGERPRINT_MAX]; /* what the signature partition says; "" */

	char *policy; /* the one that was asked, canonical; NULL where there is a fault */
	const char *policy_why; /* why that refuses it, static, or NULL */
};

/* "none", "trusted", "unknown", "bad" */
const char *anatomy_signature_word(enum anatomy_signature s);

/*
 * Looks at the image `e`, which is one. Nothing is believed: data blocks are not read, as for that there is
 * proof_check(). `policy` is what is asked of it. 0 with *ret, to be ended by anatomy_done(); a negative errno that is no fault of the image.
 */
int anatomy_read(const struct extension *e, const struct host *h,
		 const struct policy *policy, const struct certs *trusted,
		 struct anatomy *ret);
void anatomy_done(struct anatomy *a);

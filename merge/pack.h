/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From a directory to a disk image: file system, hash tree, signature, partition table, proof (specs: pack.6 to pack.14). */
#pragma once

#include "../verity/gpt.h"
#include "../verity/keypair.h"
#include "../verity/proof.h"
#include "class.h"
#include "mkfs.h"

#define PACK_PARTITIONS_MAX GPT_ROLE_COUNT

/* Borrowed. */
struct pack_request {
	int directory; /* checked by content.h */
	const struct class *class;
	const char *name; /* of the image, with its version: content of every UUID */
	const char *architecture; /* whose partition types */
	enum fstype format;
	int64_t time; /* mkfs.h */
	bool fix_times, all_root;
	const struct keypair *keys; /* NULL: the root hash is not signed */
	int scratch,
		image; /* empty files: for the file system alone, and for the image */
};

struct packed {
	uint64_t size; /* of the image, bytes */
	struct gpt_partition partitions[PACK_PARTITIONS_MAX];
	size_t n_partitions;
	struct proof proof; /* of the finished image, by those who will read it */
};

/*
 * Makes the image. 0; otherwise a negative errno and *ret_why, a sentence that the caller owns (NULL: the errno says it all).
 */
int pack(const struct pack_request *p, struct packed *ret, char **ret_why);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Data and hash tree of a part, as the image has them: where a hash tree reads from. */
#pragma once

#include "dissect.h"
#include "hashtree.h"

/* Must outlive the tree. */
struct areas {
	int fd; /* of the image */
	const struct dissect_part *part;
};

/* As hashtree_source.read; `areas` is a struct areas. */
int areas_read(void *areas, enum hashtree_area area, uint64_t offset, void *ret,
	       size_t len);

/*
 * The hash tree of the part, below the root hash that it names; `cache_bytes` as hashtree_new(). 0 with *ret,
 * which the caller owns; -EBADMSG and *ret_fault where the superblock is refused or the root hash has not its
 * length (specs: verity.1 to verity.8); or an error of reading or memory.
 */
int areas_open(struct areas *a, size_t cache_bytes, struct hashtree **ret,
	       struct fault *ret_fault);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A data area, its hash area and the root hash that both must go with: what every way of putting verity in
 * force is given. By then the signature has been verified, or the policy needs none.
 */
#pragma once

#include "superblock.h"

struct verity_target {
	int data_fd, hash_fd; /* borrowed; the same fd where both lie in one image */
	uint64_t data_offset, data_size; /* bytes; checked against the file's size */
	uint64_t hash_offset,
		hash_size; /* of the hash area, which starts with the superblock */
	uint8_t root[SUPERBLOCK_DIGEST_MAX];
	size_t root_size; /* bytes */
	const uint8_t *
		signature; /* DER, for a kernel that checks it too; NULL where there is none */
	size_t signature_size;
};

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Data and hash tree of a part, as the image has them. */
#include "areas.h"

#include "../merge/file.h"

int areas_read(void *areas, enum hashtree_area area, uint64_t offset, void *ret,
	       size_t len) {
	const struct areas *a = areas;
	const struct dissect_part *p = a->part;
	bool is_data = area == HASHTREE_DATA;
	uint64_t size = is_data ? p->size : p->tree_size;
	ssize_t n;

	if (offset > size || len > size - offset)
		return -EIO;
	n = file_read_at(is_data ? a->fd : p->tree_fd, ret, len,
			 offset + (is_data ? p->offset : p->tree_offset));
	return n < 0 ? (int)n : (size_t)n < len ? -EIO : 0;
}

int areas_open(struct areas *a, size_t cache_bytes, struct hashtree **ret,
	       struct fault *ret_fault) {
	const struct hashtree_source source = { areas_read, a };
	uint8_t bytes[SUPERBLOCK_SIZE];
	struct superblock sb;
	const char *why = NULL;
	int r;

	if (a->part->tree_size < sizeof(bytes))
		return fault_set(ret_fault, FAULT_CORRUPT, NULL,
				 "its hash tree is shorter than a superblock");
	r = areas_read(a, HASHTREE_HASH, 0, bytes, sizeof(bytes));
	if (r == 0)
		r = superblock_parse(bytes, a->part->size, a->part->tree_size, &sb, &why);
	if (r == 0)
		r = hashtree_new(&sb, a->part->root, a->part->root_size, &source,
				 cache_bytes, ret, &why);
	return r == -EBADMSG ? fault_set(ret_fault, FAULT_CORRUPT, NULL, why) : r;
}

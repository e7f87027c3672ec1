/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads of any range, made of whole blocks that were checked in memory that nobody else can change. */
#include "verified.h"

#include "../merge/file.h"

struct verified {
	struct verity_target target;
	struct hashtree *tree;
	uint64_t size;
	uint32_t block_size;
};

struct verified_reader {
	struct verified *file;
	struct hashtree_reader *tree;
	size_t max;
	uint8_t *buffer; /* of `max` bytes and what rounding to whole blocks adds */
};

/* verity.5 has bounded both areas by the target's sizes; the end of the file is still an error. */
static int read_area(void *userdata, enum hashtree_area area, uint64_t offset, void *ret,
		     size_t len) {
	const struct verity_target *t = userdata;
	bool data = area == HASHTREE_DATA;
	uint64_t size = data ? t->data_size : t->hash_size;
	ssize_t n;

	if (offset > size || len > size - offset)
		return -EIO;
	n = file_read_at(data ? t->data_fd : t->hash_fd, ret, len,
			 (data ? t->data_offset : t->hash_offset) + offset);
	return n < 0 ? (int)n : (size_t)n < len ? -EIO : 0;
}

int verified_new(const struct verity_target *t, size_t cache_bytes, struct verified **ret,
		 const char **ret_why) {
	_cleanup_(verified_freep) struct verified *v = calloc(1, sizeof(*v));
	uint8_t bytes[SUPERBLOCK_SIZE];
	struct hashtree_source source;
	struct superblock sb;
	int r;

	*ret_why = NULL;
	if (!v)
		return -ENOMEM;
	v->target = *t;
	source = (struct hashtree_source){ read_area, &v->target };
	r = read_area(&v->target, HASHTREE_HASH, 0, bytes, sizeof(bytes));
	if (r == 0)
		r = superblock_parse(bytes, t->data_size, t->hash_size, &sb, ret_why);
	if (r == 0)
		r = hashtree_new(&sb, t->root, t->root_size, &source, cache_bytes,
				 &v->tree, ret_why);
	if (r < 0)
		return r;
	v->block_size = sb.data_block_size;
	v->size = sb.data_blocks * sb.data_block_size;
	*ret = TAKE_PTR(v);
	return 0;
}

void verified_free(struct verified *v) {
	if (!v)
		return;
	hashtree_free(v->tree);
	free(v);
}

uint64_t verified_size(const struct verified *v) {
	return v->size;
}

int verified_reader_new(struct verified *v, size_t max, struct verified_reader **ret) {
	_cleanup_(verified_reader_freep) struct verified_reader *rd = calloc(1,
									     sizeof(*rd));
	int r;

	if (!rd)
		return -ENOMEM;
	rd->file = v;
	rd->max = max;
	rd->buffer = malloc(max + 2 * (size_t)v->block_size);
	if (!rd->buffer)
		return -ENOMEM;
	r = hashtree_reader_new(v->tree, &rd->tree);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(rd);
	return 0;
}

void verified_reader_free(struct verified_reader *rd) {
	if (!rd)
		return;
	hashtree_reader_free(rd->tree);
	free(rd->buffer);
	free(rd);
}

/* Reads the blocks from `first` on that `len` bytes are made of, and checks each. */
static int fill(struct verified_reader *rd, uint64_t first, size_t len,
		struct hashtree_fault *ret_fault) {
	struct verified *v = rd->file;
	int r;

	*ret_fault = (struct hashtree_fault){ .area = HASHTREE_DATA,
					      .block = first,
					      .offset = first * v->block_size };
	r = read_area(&v->target, HASHTREE_DATA, ret_fault->offset, rd->buffer, len);
	for (size_t at = 0; r == 0 && at < len; at += v->block_size)
		r = hashtree_check(rd->tree, first++, rd->buffer + at, ret_fault);
	return r;
}

ssize_t verified_read(struct verified_reader *rd, uint64_t offset, size_t len,
		      const uint8_t **ret, struct hashtree_fault *ret_fault) {
	const struct verified *v = rd->file;
	size_t lead = offset % v->block_size, whole;
	int r;

	if (len > rd->max)
		return -EINVAL;
	if (offset >= v->size)
		len = 0;
	else if (len > v->size - offset)
		len = (size_t)(v->size - offset);
	*ret = rd->buffer + lead;
	if (len == 0)
		return 0;
	whole = (lead + len + v->block_size - 1) / v->block_size * v->block_size;
	r = fill(rd, offset / v->block_size, whole, ret_fault);
	return r < 0 ? r : (ssize_t)len;
}

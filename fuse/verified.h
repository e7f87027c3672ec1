/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The verified file: the data area of an image, of which no byte is given out that was not checked. */
#pragma once

#include "../verity/hashtree.h"
#include "../verity/target.h"

struct verified;

/*
 * Reads the superblock of `t`, whose fds are borrowed for as long as the file lives, and prepares for checking
 * under its root hash; checked hash blocks are kept up to `cache_bytes`. 0 with *ret, which the caller owns.
 * Otherwise -EBADMSG with *ret_why, a static sentence of superblock_parse() or hashtree_new(), or an error of
 * reading or of memory (*ret_why NULL). Nothing but the superblock is read (specs: vfile.1).
 */
int verified_new(const struct verity_target *t, size_t cache_bytes, struct verified **ret,
		 const char **ret_why);
void verified_free(struct verified *v);
DEFINE_CLEANUP(struct verified, verified_free)

/* Bytes: what the hash tree covers, which may be less than the data area has (specs: vfile.2). */
uint64_t verified_size(const struct verified *v);

/* What one thread needs to read; any number may read at the same time. The file must outlive it. */
struct verified_reader;

/* For reads of up to `max` bytes each; all memory is taken now. 0 with *ret, or as hashtree_reader_new(). */
int verified_reader_new(struct verified *v, size_t max, struct verified_reader **ret);
void verified_reader_free(struct verified_reader *rd);
DEFINE_CLEANUP(struct verified_reader, verified_reader_free)

/*
 * Reads `len` bytes, at most `max`, at `offset`, less only at the end of the file. Whole blocks are read into the
 * reader's own memory, checked there, and given out from there: *ret is valid until the next read. Returns the
 * number of bytes; or -EBADMSG where a block of them, or a hash block above one, is wrong, or another negative
 * errno where one cannot be read, both with *ret_fault; -EINVAL for more than `max` (specs: vfile.3).
 */
ssize_t verified_read(struct verified_reader *rd, uint64_t offset, size_t len,
		      const uint8_t **ret, struct hashtree_fault *ret_fault);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Trees in memory: every block is accepted, every flipped bit is seen, and with its place. */

#include <check.h>
#include <pthread.h>
#include <string.h>

#include "format.h"
#include "unit.h"
#include "verity/hashtree.h"
#include "verity/hex.h"

#define BLOCKS 300 /* of 512 bytes: 3 levels of 16 digests */

static struct formatted made;
static const struct format plain = {
	.algorithm = "sha256",
	.data_block_size = 512,
	.hash_block_size = 512,
	.data_blocks = BLOCKS,
	.salt_size = 5,
	.salt = "salty",
};

static unsigned reads[2];
static int read_error;

static int read_memory(void *userdata, enum hashtree_area area, uint64_t offset,
		       void *ret, size_t len) {
	const struct formatted *m = userdata;
	size_t size = area == HASHTREE_DATA ? m->data_size : m->hash_size;

	__atomic_add_fetch(&reads[area], 1, __ATOMIC_RELAXED);
	if (read_error < 0)
		return read_error;
	if (offset > size || len > size - offset)
		return -EFAULT;
	memcpy(ret, (area == HASHTREE_DATA ? m->data : m->hash) + offset, len);
	return 0;
}

static const struct hashtree_source source = { read_memory, &made };

static struct hashtree *open_tree(size_t cache) {
	struct hashtree *t = NULL;
	struct superblock sb;
	const char *why = "";

	ck_assert_msg(superblock_parse(made.hash, made.data_size, made.hash_size, &sb,
				       &why) == 0,
		      "%s", why);
	ck_assert_int_eq(hashtree_new(&sb, made.root, made.root_size, &source, cache, &t,
				      &why),
			 0);
	return t;
}

static void setup(void) {
	made = format_areas(&plain);
}

static void teardown(void) {
	formatted_done(&made);
}

/* verity.6 to verity.9: what veritysetup says of the same bytes. */
static void check_known(const struct unit_row *row) {
	struct format f = {
		.algorithm = row->cells[0],
		.data_block_size = (uint32_t)atol(row->cells[1]),
		.hash_block_size = (uint32_t)atol(row->cells[2]),
		.data_blocks = (uint64_t)atol(row->cells[3]),
		.salt_size = (size_t)atol(row->cells[4]),
	};
	const struct hashtree_sweep sweep = { .threads = 1 };
	_cleanup_(hashtree_freep) struct hashtree *t = NULL;
	char root[2 * SUPERBLOCK_DIGEST_MAX + 1];
	struct hashtree_fault fault;

	for (size_t i = 0; i < f.salt_size; i++)
		f.salt[i] = (uint8_t)i;
	formatted_done(&made);
	made = format_areas(&f);
	hex_encode(made.root, made.root_size, root);
	unit_assert_row(row, strcmp(root, row->cells[5]) == 0, "root hash %s", root);
	t = open_tree(0);
	unit_assert_row(row, hashtree_verify_all(t, &sweep, &fault) == 0, "refused");
}

START_TEST(root_hash_is_known) {
	unit_each_row("verity.tsv", 6, check_known);
}
END_TEST

static const size_t caches[] = { 0, 1 << 20 };

START_TEST(every_block_is_accepted) {
	_cleanup_(hashtree_freep) struct hashtree *t = open_tree(caches[_i]);
	_cleanup_(hashtree_reader_freep) struct hashtree_reader *rd = NULL;
	struct hashtree_fault fault;

	ck_assert_int_eq(hashtree_reader_new(t, &rd), 0);
	for (uint64_t i = 0; i < 2 * BLOCKS; i++) {
		uint64_t block = i * 7919 % BLOCKS;

		ck_assert_int_eq(hashtree_check(rd, block, made.data + block * 512,
						&fault),
				 0);
	}
	ck_assert_int_eq(hashtree_check(rd, BLOCKS, made.data, &fault), -ERANGE);
	ck_assert_int_eq(hashtree_check(rd, UINT64_MAX, made.data, &fault), -ERANGE);
	ck_assert_ptr_eq(hashtree_source(t)->userdata, &made);
}
END_TEST

/* Of a tree that is in memory, each hash block is read once. */
START_TEST(cache_saves_reading) {
	_cleanup_(hashtree_freep) struct hashtree *t = open_tree(1 << 20);
	_cleanup_(hashtree_reader_freep) struct hashtree_reader *rd = NULL;
	const struct geometry *g = &hashtree_superblock(t)->geometry;
	struct hashtree_fault fault;

	ck_assert_int_eq(hashtree_reader_new(t, &rd), 0);
	memset(reads, 0, sizeof(reads));
	for (uint64_t i = 0; i < 4 * BLOCKS; i++) {
		uint64_t block = i * 7919 % BLOCKS;

		hashtree_check(rd, block, made.data + block * 512, &fault);
	}
	ck_assert_uint_eq(reads[HASHTREE_HASH], g->end - 1);
	ck_assert_uint_eq(reads[HASHTREE_DATA], 0);
}
END_TEST

/* Another block's data is wrong data. */
START_TEST(swapped_block_is_refused) {
	_cleanup_(hashtree_freep) struct hashtree *t = open_tree(0);
	_cleanup_(hashtree_reader_freep) struct hashtree_reader *rd = NULL;
	struct hashtree_fault fault;

	ck_assert_int_eq(hashtree_reader_new(t, &rd), 0);
	ck_assert_int_eq(hashtree_check(rd, 7, made.data + 8 * 512, &fault), -EBADMSG);
	ck_assert_int_eq(fault.area, HASHTREE_DATA);
	ck_assert_uint_eq(fault.block, 7);
	ck_assert_uint_eq(fault.offset, 7 * 512);
	ck_assert_int_eq(hashtree_check(rd, 7, made.data + 7 * 512, &fault), 0);
}
END_TEST

/* verity.10: the place of the hash block, and no harm for blocks below others. */
START_TEST(wrong_hash_block_is_named) {
	_cleanup_(hashtree_freep) struct hashtree *t = open_tree(1 << 20);
	_cleanup_(hashtree_reader_freep) struct hashtree_reader *rd = NULL;
	const struct geometry *g = &hashtree_superblock(t)->geometry;
	const uint64_t block = 299;
	struct hashtree_fault fault;

	ck_assert_uint_eq(g->levels, 3);
	ck_assert_int_eq(hashtree_reader_new(t, &rd), 0);
	for (unsigned level = 0; level < 3; level++) {
		uint64_t index = geometry_index(g, level, block);
		uint64_t offset = (g->start[level] + index) * 512;
		_cleanup_(hashtree_freep) struct hashtree *fresh = open_tree(0);
		_cleanup_(hashtree_reader_freep) struct hashtree_reader *reader = NULL;

		ck_assert_int_eq(hashtree_reader_new(fresh, &reader), 0);
		made.hash[offset + 511] ^= 0x10;
		ck_assert_int_eq(hashtree_check(reader, block, made.data + block * 512,
						&fault),
				 -EBADMSG);
		ck_assert_int_eq(fault.area, HASHTREE_HASH);
		ck_assert_uint_eq(fault.level, level);
		ck_assert_uint_eq(fault.block, index);
		ck_assert_uint_eq(fault.offset, offset);
		ck_assert_int_eq(hashtree_check(reader, 0, made.data, &fault),
				 level < 2 ? 0 : -EBADMSG);
		made.hash[offset + 511] ^= 0x10;
		ck_assert_int_eq(hashtree_check(reader, block, made.data + block * 512,
						&fault),
				 0);
	}
}
END_TEST

/* What has been checked stays so, whatever becomes of the file. */
START_TEST(checked_blocks_are_kept) {
	_cleanup_(hashtree_freep) struct hashtree *t = open_tree(1 << 20);
	_cleanup_(hashtree_reader_freep) struct hashtree_reader *rd = NULL,
								*second = NULL;
	struct hashtree_fault fault;

	ck_assert_int_eq(hashtree_reader_new(t, &rd), 0);
	ck_assert_int_eq(hashtree_reader_new(t, &second), 0);
	ck_assert_int_eq(hashtree_check(rd, 0, made.data, &fault), 0);
	memset(made.hash, 0xaa, made.hash_size);
	ck_assert_int_eq(hashtree_check(second, 1, made.data + 512, &fault), 0);
	ck_assert_int_eq(hashtree_check(second, 299, made.data, &fault), -EBADMSG);
	ck_assert_int_eq(fault.area, HASHTREE_HASH);
}
END_TEST

START_TEST(reading_fails) {
	_cleanup_(hashtree_freep) struct hashtree *t = open_tree(0);
	_cleanup_(hashtree_reader_freep) struct hashtree_reader *rd = NULL;
	const struct hashtree_sweep sweep = { .threads = 2 };
	struct hashtree_fault fault = { .block = 99 };

	ck_assert_int_eq(hashtree_reader_new(t, &rd), 0);
	read_error = -ENXIO;
	ck_assert_int_eq(hashtree_check(rd, 0, made.data, &fault), -ENXIO);
	ck_assert_int_eq(fault.area, HASHTREE_HASH);
	ck_assert_uint_eq(fault.level, 2);
	ck_assert_int_eq(hashtree_verify_all(t, &sweep, &fault), -ENXIO);
	ck_assert_int_eq(fault.area, HASHTREE_DATA);
	ck_assert_uint_eq(fault.block, 0);
	read_error = 0;
	ck_assert_int_eq(hashtree_check(rd, 0, made.data, &fault), 0);
}
END_TEST

/* verity.8; threats.md row 12 */
START_TEST(root_hash_is_refused) {
	_cleanup_(hashtree_freep) struct hashtree *t = open_tree(0);
	const struct superblock *sb = hashtree_superblock(t);
	struct hashtree *other = NULL;
	const char *why = "";

	for (size_t size = 0; size <= 64; size++) {
		int r = hashtree_new(sb, made.root, size, &source, 0, &other, &why);

		ck_assert_int_eq(r, size == 32 ? 0 : -EBADMSG);
		if (r == 0)
			hashtree_free(other);
		else
			ck_assert_str_eq(why,
					 "the root hash is of another length than the "
					 "hash tree's digests");
	}
	hashtree_free(NULL);
	hashtree_reader_free(NULL);
}
END_TEST

START_TEST(unknown_algorithm_is_refused) {
	_cleanup_(hashtree_freep) struct hashtree *t = open_tree(0), *other = NULL;
	const struct hashtree_sweep sweep = { .threads = 2 };
	struct superblock sb = *hashtree_superblock(t);
	struct hashtree_reader *rd = NULL;
	struct hashtree_fault fault;
	const char *why;

	sb.algorithm = "md5";
	ck_assert_int_eq(hashtree_new(&sb, made.root, 32, &source, 0, &other, &why), 0);
	ck_assert_int_eq(hashtree_reader_new(other, &rd), -ENOTSUP);
	ck_assert_int_eq(hashtree_verify_all(other, &sweep, &fault), -ENOTSUP);
}
END_TEST

/* --- all blocks --- */

static int count_calls(void *userdata, uint64_t done, uint64_t total) {
	uint64_t *last = userdata;

	ck_assert_uint_ge(done, *last);
	ck_assert_uint_le(done, total);
	*last = done;
	return 0;
}

static int give_up(void *userdata, uint64_t done, uint64_t total) {
	(void)userdata, (void)done, (void)total;
	return -EINTR;
}

/* 1100 blocks of 4096 bytes: several chunks, the last one short. */
static void make_large(void) {
	struct format f = plain;

	f.data_block_size = f.hash_block_size = 4096;
	f.data_blocks = 1100;
	formatted_done(&made);
	made = format_areas(&f);
}

static const unsigned threads[] = { 0, 1, 2, 7, 1000 };

START_TEST(all_are_accepted) {
	uint64_t last = 0;
	const struct hashtree_sweep sweep = { threads[_i], count_calls, &last };
	_cleanup_(hashtree_freep) struct hashtree *t = NULL;
	struct hashtree_fault fault;

	make_large();
	t = open_tree(0);
	ck_assert_int_eq(hashtree_verify_all(t, &sweep, &fault), 0);
	ck_assert_uint_eq(last, 1100);
}
END_TEST

/* verity.11 */
START_TEST(first_fault_is_named) {
	const struct hashtree_sweep sweep = { .threads = threads[_i] };
	_cleanup_(hashtree_freep) struct hashtree *t = NULL;
	static const uint64_t wrong[] = { 1099, 700, 300, 130, 65, 64, 63, 0 };
	struct hashtree_fault fault;

	make_large();
	t = open_tree(0);
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		made.data[wrong[i] * 4096 + 17] ^= 1;
		ck_assert_int_eq(hashtree_verify_all(t, &sweep, &fault), -EBADMSG);
		ck_assert_int_eq(fault.area, HASHTREE_DATA);
		ck_assert_uint_eq(fault.block, wrong[i]);
		ck_assert_uint_eq(fault.offset, wrong[i] * 4096);
	}
}
END_TEST

START_TEST(caller_gives_up) {
	const struct hashtree_sweep sweep = { threads[_i], give_up, NULL };
	_cleanup_(hashtree_freep) struct hashtree *t = open_tree(0);
	struct hashtree_fault fault;

	ck_assert_int_eq(hashtree_verify_all(t, &sweep, &fault), -EINTR);
}
END_TEST

/* A thousand single bits in the data and in the tree, each of them seen. */
START_TEST(every_flipped_bit_is_seen) {
	const struct hashtree_sweep sweep = { .threads = 1 };
	uint32_t seed = 4711;

	for (unsigned i = 0; i < 1000; i++) {
		_cleanup_(hashtree_freep) struct hashtree *t = open_tree(1 << 20);
		size_t tree = made.hash_size - 512, at;
		struct hashtree_fault fault;
		uint8_t *byte;

		format_fill((uint8_t *)&seed, sizeof(seed), seed + i);
		at = seed % (made.data_size + tree);
		byte = at < made.data_size ? made.data + at
					   : made.hash + 512 + (at - made.data_size);
		*byte ^= (uint8_t)(1 << i % 8);
		ck_assert_int_eq(hashtree_verify_all(t, &sweep, &fault), -EBADMSG);
		ck_assert_int_eq(fault.area,
				 at < made.data_size ? HASHTREE_DATA : HASHTREE_HASH);
		ck_assert_uint_eq(fault.offset,
				  at < made.data_size
					  ? at / 512 * 512
					  : (at - made.data_size) / 512 * 512 + 512);
		*byte ^= (uint8_t)(1 << i % 8);
	}
}
END_TEST

struct hammer {
	struct hashtree *tree;
	uint64_t step;
};

static void *hammer(void *userdata) {
	const struct hammer *h = userdata;
	_cleanup_(hashtree_reader_freep) struct hashtree_reader *rd = NULL;
	struct hashtree_fault fault;
	uintptr_t faults = 0;

	if (hashtree_reader_new(h->tree, &rd) < 0)
		return (void *)UINTPTR_MAX;
	for (uint64_t i = 0; i < 5000; i++) {
		uint64_t block = i * h->step % BLOCKS, other = (block + 1) % BLOCKS;

		faults += hashtree_check(rd, block, made.data + block * 512, &fault) != 0;
		faults += hashtree_check(rd, block, made.data + other * 512, &fault) !=
			  -EBADMSG;
	}
	return (void *)faults;
}

START_TEST(readers_share_a_tree) {
	_cleanup_(hashtree_freep) struct hashtree *t = open_tree(caches[_i]);
	struct hammer hammers[] = { { t, 1 }, { t, 17 }, { t, 7919 }, { t, 299 } };
	pthread_t ids[ARRAY_SIZE(hammers)];

	for (size_t i = 0; i < ARRAY_SIZE(hammers); i++)
		ck_assert_int_eq(pthread_create(&ids[i], NULL, hammer, &hammers[i]), 0);
	for (size_t i = 0; i < ARRAY_SIZE(hammers); i++) {
		void *faults;

		ck_assert_int_eq(pthread_join(ids[i], &faults), 0);
		ck_assert_ptr_null(faults);
	}
}
END_TEST

int main(void) {
	Suite *s = suite_create("hashtree");
	TCase *t = tcase_create("hashtree");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, root_hash_is_known);
	tcase_add_loop_test(t, every_block_is_accepted, 0, ARRAY_SIZE(caches));
	tcase_add_test(t, cache_saves_reading);
	tcase_add_test(t, swapped_block_is_refused);
	tcase_add_test(t, wrong_hash_block_is_named);
	tcase_add_test(t, checked_blocks_are_kept);
	tcase_add_test(t, reading_fails);
	tcase_add_test(t, root_hash_is_refused);
	tcase_add_test(t, unknown_algorithm_is_refused);
	tcase_add_loop_test(t, all_are_accepted, 0, ARRAY_SIZE(threads));
	tcase_add_loop_test(t, first_fault_is_named, 0, ARRAY_SIZE(threads));
	tcase_add_loop_test(t, caller_gives_up, 0, ARRAY_SIZE(threads));
	tcase_add_test(t, every_flipped_bit_is_seen);
	tcase_add_loop_test(t, readers_share_a_tree, 0, ARRAY_SIZE(caches));
	suite_add_tcase(s, t);
	return unit_run(s);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Every range of a sound image is what it was; whatever is changed, no wrong byte is given out. */

#include <check.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>

#include "format.h"
#include "fuse/verified.h"
#include "unit.h"

#define BLOCKS 100
#define LEAD 4096 /* bytes before the areas: they lie in one file, as in a disk image */
#define MAX 65536

static struct formatted made;
static struct verity_target target;
static int image = -EBADF;

static const struct format formats[] = {
	{ "sha256", 4096, 4096, BLOCKS, 3, "abc" },
	{ "sha512", 512, 1024, BLOCKS, 0, "" },
	{ "sha384", 1024, 512, 1, 32, "" },
};

static void write_at(const void *bytes, size_t len, uint64_t offset) {
	ck_assert_int_eq(pwrite(image, bytes, len, (off_t)offset), (ssize_t)len);
}

static void setup(const struct format *f) {
	made = format_areas(f);
	image = memfd_create("image", MFD_CLOEXEC);
	ck_assert_int_ge(image, 0);
	target = (struct verity_target){
		.data_fd = image,
		.hash_fd = image,
		.data_offset = LEAD,
		.data_size = made.data_size,
		.hash_offset = LEAD + made.data_size,
		.hash_size = made.hash_size,
		.root_size = made.root_size,
	};
	memcpy(target.root, made.root, made.root_size);
	write_at(made.data, made.data_size, target.data_offset);
	write_at(made.hash, made.hash_size, target.hash_offset);
}

static void teardown(void) {
	close_fdp(&image);
	formatted_done(&made);
}

static struct verified *open_file(void) {
	struct verified *v = NULL;
	const char *why = NULL;

	ck_assert_msg(verified_new(&target, 0, &v, &why) == 0, "%s", why);
	return v;
}

static struct verified_reader *open_reader(struct verified *v, size_t max) {
	struct verified_reader *rd = NULL;

	ck_assert_int_eq(verified_reader_new(v, max, &rd), 0);
	return rd;
}

static const size_t lengths[] = { 0, 1, 511, 512, 513, 4095, 4096, 4097, 20000, MAX };

static void check_range(struct verified_reader *rd, uint64_t offset, size_t len) {
	size_t size = made.data_size, left = offset < size ? size - offset : 0;
	struct hashtree_fault fault;
	const uint8_t *bytes = NULL;
	ssize_t n = verified_read(rd, offset, len, &bytes, &fault);

	ck_assert_int_eq(n, (ssize_t)(len < left ? len : left));
	ck_assert(n == 0 || memcmp(bytes, made.data + offset, (size_t)n) == 0);
}

/* vfile.2, vfile.3 */
START_TEST(every_range_is_read) {
	_cleanup_(verified_freep) struct verified *v = NULL;
	_cleanup_(verified_reader_freep) struct verified_reader *rd = NULL;

	setup(&formats[_i]);
	v = open_file();
	rd = open_reader(v, MAX);
	ck_assert_uint_eq(verified_size(v), made.data_size);
	for (uint64_t offset = 0; offset < made.data_size + 5000; offset += 333)
		for (size_t i = 0; i < ARRAY_SIZE(lengths); i++)
			check_range(rd, offset, lengths[i]);
	check_range(rd, UINT64_MAX, 4096);
	check_range(rd, UINT64_MAX - 4096, 8192);
	teardown();
}
END_TEST

/* vfile.2: a partition is often larger than what its tree covers. */
START_TEST(what_is_not_covered_is_not_there) {
	_cleanup_(verified_freep) struct verified *v = NULL;
	_cleanup_(verified_reader_freep) struct verified_reader *rd = NULL;

	setup(&formats[0]);
	target.data_size += 3 * 4096;
	v = open_file();
	rd = open_reader(v, MAX);
	ck_assert_uint_eq(verified_size(v), made.data_size);
	check_range(rd, made.data_size - 10, 4096);
	teardown();
}
END_TEST

START_TEST(long_reads_are_refused) {
	_cleanup_(verified_freep) struct verified *v = NULL;
	_cleanup_(verified_reader_freep) struct verified_reader *rd = NULL;
	struct hashtree_fault fault;
	const uint8_t *bytes;

	setup(&formats[0]);
	v = open_file();
	rd = open_reader(v, 4096);
	ck_assert_int_eq(verified_read(rd, 0, 4097, &bytes, &fault), -EINVAL);
	check_range(rd, 4095, 4096);
	teardown();
}
END_TEST

/* vfile.4: one bad block spoils what it is part of, and nothing else; it is named. */
START_TEST(bad_block_is_not_given_out) {
	_cleanup_(verified_freep) struct verified *v = NULL;
	_cleanup_(verified_reader_freep) struct verified_reader *rd = NULL;
	const uint64_t bad = 7;
	struct hashtree_fault fault;
	const uint8_t *bytes;

	setup(&formats[0]);
	v = open_file();
	rd = open_reader(v, MAX);
	write_at("?", 1, target.data_offset + bad * 4096 + 4095);
	ck_assert_int_eq(verified_read(rd, 4096, 10 * 4096, &bytes, &fault), -EBADMSG);
	ck_assert_int_eq(fault.area, HASHTREE_DATA);
	ck_assert_uint_eq(fault.block, bad);
	ck_assert_uint_eq(fault.offset, bad * 4096);
	for (uint64_t i = 0; i < BLOCKS; i++)
		if (i != bad)
			check_range(rd, i * 4096, 4096);
		else
			ck_assert_int_eq(verified_read(rd, i * 4096, 1, &bytes, &fault),
					 -EBADMSG);
	teardown();
}
END_TEST

/* vfile.3: what is rewritten after it was opened, data and tree to match, is still not under the root. */
START_TEST(another_image_is_not_given_out) {
	_cleanup_(verified_freep) struct verified *v = NULL;
	_cleanup_(verified_reader_freep) struct verified_reader *rd = NULL;
	struct format other = formats[0];
	struct hashtree_fault fault;
	struct formatted o;
	const uint8_t *bytes;

	setup(&formats[0]);
	v = open_file();
	rd = open_reader(v, MAX);
	other.salt[0] = 'X';
	o = format_areas(&other);
	memset(o.data, 'X', o.data_size);
	write_at(o.data, o.data_size, target.data_offset);
	write_at(o.hash, o.hash_size, target.hash_offset);
	formatted_done(&o);
	for (uint64_t i = 0; i < BLOCKS; i++)
		ck_assert_int_eq(verified_read(rd, i * 4096, 4096, &bytes, &fault),
				 -EBADMSG);
	ck_assert_int_eq(fault.area, HASHTREE_HASH);
	teardown();
}
END_TEST

START_TEST(cut_file_is_an_error) {
	_cleanup_(verified_freep) struct verified *v = NULL;
	_cleanup_(verified_reader_freep) struct verified_reader *rd = NULL;
	struct hashtree_fault fault;
	const uint8_t *bytes;

	setup(&formats[0]);
	v = open_file();
	rd = open_reader(v, MAX);
	check_range(rd, 0, 4096);
	ck_assert_int_eq(ftruncate(image, (off_t)target.data_offset + 5000), 0);
	check_range(rd, 0, 4096);
	ck_assert_int_eq(verified_read(rd, 4096, 4096, &bytes, &fault), -EIO);
	ck_assert_uint_eq(fault.block, 1);
	teardown();
}
END_TEST

/* vfile.1 */
START_TEST(superblock_is_believed_within_bounds) {
	struct verified *v = NULL;
	const char *why = NULL;

	setup(&formats[0]);
	target.root_size = 64;
	ck_assert_int_eq(verified_new(&target, 0, &v, &why), -EBADMSG);
	ck_assert_ptr_nonnull(strstr(why, "another length"));
	target.root_size = made.root_size;
	target.data_size -= 1;
	ck_assert_int_eq(verified_new(&target, 0, &v, &why), -EBADMSG);
	ck_assert_ptr_nonnull(strstr(why, "covers more than the data"));
	target.data_size += 1;
	write_at("V", 1, target.hash_offset);
	ck_assert_int_eq(verified_new(&target, 0, &v, &why), -EBADMSG);
	ck_assert_str_eq(why, "there is no verity superblock");
	target.hash_size = 100;
	ck_assert_int_eq(verified_new(&target, 0, &v, &why), -EIO);
	ck_assert_ptr_null(why);
	ck_assert_ptr_null(v);
	teardown();
}
END_TEST

int main(void) {
	Suite *suite = suite_create("verified");
	TCase *tcase = tcase_create("verified");

	tcase_add_loop_test(tcase, every_range_is_read, 0, ARRAY_SIZE(formats));
	tcase_add_test(tcase, what_is_not_covered_is_not_there);
	tcase_add_test(tcase, long_reads_are_refused);
	tcase_add_test(tcase, bad_block_is_not_given_out);
	tcase_add_test(tcase, another_image_is_not_given_out);
	tcase_add_test(tcase, cut_file_is_an_error);
	tcase_add_test(tcase, superblock_is_believed_within_bounds);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}

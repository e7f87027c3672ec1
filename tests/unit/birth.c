/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the kernel reads of an answer to statx(2) is what stat(2) says, and the time of birth. */

#include <check.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "fuse/birth.h"
#include "unit.h"

static struct fuse_in_header asked(uint32_t opcode, uint64_t node) {
	return (struct fuse_in_header){ .opcode = opcode, .nodeid = node, .unique = 99 };
}

/* union.25 */
START_TEST(only_statx_is_taken) {
	struct fuse_in_header h = asked(BIRTH_OPCODE, 5);
	uint64_t node = 0;

	ck_assert(birth_is_asked((char *)&h, sizeof(h), &node));
	ck_assert_uint_eq(node, 5);
	ck_assert(!birth_is_asked((char *)&h, sizeof(h) - 1, &node));
	h.opcode = FUSE_GETATTR;
	ck_assert(!birth_is_asked((char *)&h, sizeof(h), &node));
}
END_TEST

START_TEST(an_answer_has_all_of_it) {
	const struct fuse_in_header h = asked(BIRTH_OPCODE, 5);
	const struct stat st = { .st_mode = S_IFCHR | 0640,
				 .st_nlink = 2,
				 .st_uid = 3,
				 .st_gid = 4,
				 .st_ino = 1ULL << 50,
				 .st_rdev = makedev(1, 300),
				 .st_size = 1LL << 40,
				 .st_blocks = 6,
				 .st_blksize = 512,
				 .st_atim = { -1, 7 },
				 .st_mtim = { 8, 9 },
				 .st_ctim = { 10, 11 } };
	const struct statx birth = { .stx_mask = STATX_BTIME | STATX_MNT_ID,
				     .stx_size = 1,
				     .stx_btime = { .tv_sec = 12, .tv_nsec = 13 } };
	struct birth_answer got;
	const struct statx *x = &got.attributes;

	birth_answer((const char *)&h, 0, &st, &birth, 17, &got);
	ck_assert_uint_eq(got.header.len, sizeof(got));
	ck_assert_uint_eq(got.header.unique, 99);
	ck_assert_int_eq(got.header.error, 0);
	ck_assert_uint_eq(got.valid, 17);
	ck_assert_uint_eq(x->stx_mask, STATX_BASIC_STATS | STATX_BTIME);
	ck_assert_uint_eq(x->stx_mode, S_IFCHR | 0640);
	ck_assert_uint_eq(x->stx_nlink, 2);
	ck_assert_uint_eq(x->stx_uid, 3);
	ck_assert_uint_eq(x->stx_gid, 4);
	ck_assert_uint_eq(x->stx_ino, 1ULL << 50);
	ck_assert_uint_eq(x->stx_rdev_major, 1);
	ck_assert_uint_eq(x->stx_rdev_minor, 300);
	ck_assert_uint_eq(x->stx_size, 1ULL << 40);
	ck_assert_uint_eq(x->stx_blocks, 6);
	ck_assert_uint_eq(x->stx_blksize, 512);
	ck_assert_int_eq(x->stx_atime.tv_sec, -1);
	ck_assert_uint_eq(x->stx_atime.tv_nsec, 7);
	ck_assert_int_eq(x->stx_mtime.tv_sec, 8);
	ck_assert_uint_eq(x->stx_mtime.tv_nsec, 9);
	ck_assert_int_eq(x->stx_ctime.tv_sec, 10);
	ck_assert_uint_eq(x->stx_ctime.tv_nsec, 11);
	ck_assert_int_eq(x->stx_btime.tv_sec, 12);
	ck_assert_uint_eq(x->stx_btime.tv_nsec, 13);
}
END_TEST

START_TEST(what_is_not_there_is_not_said) {
	const struct fuse_in_header h = asked(BIRTH_OPCODE, 5);
	const struct stat st = { .st_mode = S_IFREG };
	const struct statx birth = { .stx_btime = { .tv_sec = 12 } };
	struct birth_answer got;

	birth_answer((const char *)&h, 0, &st, &birth, 0, &got);
	ck_assert_uint_eq(got.attributes.stx_mask, STATX_BASIC_STATS);
	ck_assert_int_eq(got.attributes.stx_btime.tv_sec, 0);
	birth_answer((const char *)&h, -ESTALE, &st, &birth, 0, &got);
	ck_assert_int_eq(got.header.error, -ESTALE);
	ck_assert_uint_eq(got.header.len, sizeof(got.header));
}
END_TEST

int main(void) {
	const TTest *const tests[] = { only_statx_is_taken, an_answer_has_all_of_it,
				       what_is_not_there_is_not_said, NULL };

	return unit_main("birth", tests);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a process has open is the directory below a tree only at the tree's path and on the mount below (switch.18). */
#include "merge/underneath.h"

#include "merge/process.h"
#include "scratch.h"
#include "unit.h"

START_TEST(other_mount) {
	_cleanup_(mounts_freep) struct mounts *m = NULL;
	_cleanup_free_ char *self = process_describe(getpid());
	_cleanup_close_ int tree = -EBADF, again = -EBADF;

	ck_assert_int_eq(mounts_read(&m), 0);
	scratch_mkdir("tree");
	tree = scratch_open("tree", O_PATH);
	again = scratch_open("tree", O_PATH);
	/* This process has it open, at this path, but not on the mount below the one that it is on. */
	ck_assert_int_eq(underneath_open(m, tree, self), -ENOENT);
}
END_TEST

START_TEST(nobody) {
	_cleanup_(mounts_freep) struct mounts *m = NULL;

	ck_assert_int_eq(mounts_read(&m), 0);
	ck_assert_int_eq(underneath_open(m, scratch_fd, ""), -ESRCH);
	ck_assert_int_eq(underneath_open(m, scratch_fd, "1 1"), -ESRCH);
	ck_assert_int_eq(underneath_open(m, scratch_fd, "../../1 5"), -ESRCH);
	ck_assert_int_lt(underneath_open(m, -EBADF, ""), 0);
}
END_TEST

int main(void) {
	Suite *s = suite_create("underneath");
	TCase *t = tcase_create("underneath");

	tcase_add_checked_fixture(t, scratch_setup, scratch_teardown);
	tcase_add_test(t, other_mount);
	tcase_add_test(t, nobody);
	suite_add_tcase(s, t);
	return unit_run(s);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Proves which directories lie in each other, whichever comes first (specs: layer.6). */
#include "merge/nesting.h"

#include <fcntl.h>

#include "scratch.h"
#include "unit.h"

static struct nesting nesting;

static enum nesting_relation add(const char *path, unsigned owner, unsigned *ret_other) {
	_cleanup_close_ int fd = scratch_open(path, O_PATH | O_DIRECTORY);
	enum nesting_relation relation;

	ck_assert_int_eq(nesting_add(&nesting, fd, owner, &relation, ret_other), 0);
	return relation;
}

static void setup(void) {
	scratch_setup();
	scratch_mkdir("a");
	scratch_mkdir("a/inside");
	scratch_mkdir("a/inside/deep");
	scratch_mkdir("b");
	scratch_link("a/inside", "link");
	nesting = (struct nesting){ 0 };
}

static void teardown(void) {
	nesting_done(&nesting);
	scratch_teardown();
}

START_TEST(outer_first) {
	unsigned other = 99;

	ck_assert_int_eq(add("a", 1, &other), NESTING_APART);
	ck_assert_int_eq(add("b", 2, &other), NESTING_APART);
	ck_assert_int_eq(add("a/inside/deep", 3, &other), NESTING_INSIDE);
	ck_assert_uint_eq(other, 1);
	ck_assert_int_eq(add("b", 3, &other), NESTING_SAME);
	ck_assert_uint_eq(other, 2);
}
END_TEST

START_TEST(inner_first) {
	unsigned other = 99;

	ck_assert_int_eq(add("a/inside/deep", 7, &other), NESTING_APART);
	ck_assert_int_eq(add("a", 8, &other), NESTING_AROUND);
	ck_assert_uint_eq(other, 7);
	ck_assert_int_eq(add("link", 8, &other), NESTING_AROUND);
	ck_assert_int_eq(add("b", 8, &other), NESTING_APART);
}
END_TEST

/* What was refused after all must not stand in the way of the next. */
START_TEST(revert) {
	unsigned other = 99;
	size_t before;

	ck_assert_int_eq(add("b", 1, &other), NESTING_APART);
	before = nesting.n;
	ck_assert_int_eq(add("a/inside", 2, &other), NESTING_APART);
	nesting_revert(&nesting, before);
	ck_assert_int_eq(add("a", 2, &other), NESTING_APART);
	ck_assert_int_eq(add("b", 3, &other), NESTING_SAME);
}
END_TEST

int main(void) {
	Suite *s = suite_create("nesting");
	TCase *t = tcase_create("nesting");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, outer_first);
	tcase_add_test(t, inner_first);
	tcase_add_test(t, revert);
	suite_add_tcase(s, t);
	return unit_run(s);
}

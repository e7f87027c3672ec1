/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A node that is open keeps its file; of the others the longest unused goes. */

#include <check.h>

#include "fuse/backings.h"
#include "unit.h"

static struct backings b;

static void setup(void) {
	ck_assert_int_eq(backings_init(&b), 0);
}

static void teardown(void) {
	backings_done(&b);
}

static uint32_t add(uint64_t node, int32_t id, int32_t expect_gone) {
	uint32_t slot = BACKINGS_NONE;
	int32_t gone = -1;

	ck_assert_int_eq(backings_add(&b, node, id, &slot, &gone), 0);
	ck_assert_int_eq(gone, expect_gone);
	ck_assert_uint_eq(backings_find(&b, node), slot);
	return slot;
}

/* union.17 */
START_TEST(one_file_as_long_as_it_is_open) {
	uint32_t slot = add(7, 1, 0);

	backings_open(&b, slot);
	backings_open(&b, slot);
	ck_assert_int_eq(backings_release(&b, slot), 0);
	ck_assert_int_eq(backings_release(&b, slot), 0);
	ck_assert_int_eq(backings_release(&b, slot), 0); /* once too often */
	ck_assert_uint_eq(backings_find(&b, 7), slot);
	ck_assert_int_eq(backings_forget(&b, 7), 1);
	ck_assert_uint_eq(backings_find(&b, 7), BACKINGS_NONE);
	ck_assert_int_eq(backings_forget(&b, 7), 0);
	ck_assert_int_eq(backings_release(&b, 12345), 0);
}
END_TEST

/* The kernel says both in any order, and then gives the node's number to another file. */
START_TEST(forgotten_while_it_is_open) {
	uint32_t old = add(7, 1, 0), other;

	backings_open(&b, old);
	ck_assert_int_eq(backings_forget(&b, 7), 0);
	other = add(7, 2, 0);
	ck_assert_uint_ne(old, other);
	backings_open(&b, other);
	ck_assert_int_eq(backings_release(&b, old), 1);
	ck_assert_int_eq(backings_release(&b, old), 0);
	ck_assert_uint_eq(backings_find(&b, 7), other);
	ck_assert_int_eq(backings_release(&b, other), 0);
}
END_TEST

/* What could not be handed to the kernel is tried again the next time. */
START_TEST(without_a_file) {
	uint32_t slot = add(7, 0, 0);

	backings_open(&b, slot);
	ck_assert_uint_eq(backings_find(&b, 7), slot);
	ck_assert_int_eq(backings_release(&b, slot), 0);
	ck_assert_uint_eq(backings_find(&b, 7), BACKINGS_NONE);
}
END_TEST

START_TEST(the_longest_unused_goes) {
	const int32_t max = BACKINGS_IDLE_MAX;
	uint32_t first, second;

	for (int32_t i = 1; i <= max; i++)
		add((uint64_t)(uint32_t)i << 32 | 5, i, 0);
	first = backings_find(&b, UINT64_C(1) << 32 | 5);
	second = backings_find(&b, UINT64_C(2) << 32 | 5);
	backings_open(&b, first);
	backings_open(&b, second);
	ck_assert_int_eq(backings_release(&b, first), 0); /* the newest now */
	add(3, max + 1, 0);
	add(4, max + 2, 3);
	add(6, max + 3, 4);
	ck_assert_uint_eq(backings_find(&b, UINT64_C(1) << 32 | 5), first);
	ck_assert_uint_eq(backings_find(&b, UINT64_C(2) << 32 | 5), second);
	ck_assert_uint_eq(backings_find(&b, UINT64_C(3) << 32 | 5), BACKINGS_NONE);
	ck_assert_uint_eq(b.n_idle, BACKINGS_IDLE_MAX);
	for (uint64_t i = 5; i <= (uint64_t)max; i++)
		ck_assert_int_eq(backings_forget(&b, i << 32 | 5), (int32_t)i);
	ck_assert_uint_eq(b.n_idle, 4);
}
END_TEST

int main(void) {
	Suite *suite = suite_create("backings");
	TCase *tcase = tcase_create("backings");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, one_file_as_long_as_it_is_open);
	tcase_add_test(tcase, forgotten_while_it_is_open);
	tcase_add_test(tcase, without_a_file);
	tcase_add_test(tcase, the_longest_unused_goes);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}

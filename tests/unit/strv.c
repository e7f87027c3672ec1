/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Proves the arrays of strings. */
#include "merge/strv.h"

#include "unit.h"

START_TEST(null_is_empty) {
	char **v = NULL;

	ck_assert_uint_eq(strv_length(NULL), 0);
	ck_assert(!strv_contains(NULL, ""));
	strv_sort(NULL);
	strv_free(NULL);
	strv_freep(&v);
}
END_TEST

START_TEST(append_copies) {
	_cleanup_strv_ char **v = NULL;
	char text[] = "a";

	ck_assert_int_eq(strv_append(&v, text), 0);
	text[0] = 'b';
	ck_assert_int_eq(strv_append(&v, text), 0);
	ck_assert_int_eq(strv_append(&v, ""), 0);
	ck_assert_uint_eq(strv_length(v), 3);
	ck_assert_str_eq(v[0], "a");
	ck_assert_str_eq(v[1], "b");
	ck_assert_str_eq(v[2], "");
	ck_assert_ptr_null(v[3]);
}
END_TEST

START_TEST(contains_whole_texts) {
	_cleanup_strv_ char **v = NULL;

	ck_assert_int_eq(strv_append(&v, "usr"), 0);
	ck_assert_int_eq(strv_append(&v, "opt"), 0);
	ck_assert(strv_contains(v, "usr"));
	ck_assert(strv_contains(v, "opt"));
	ck_assert(!strv_contains(v, "us"));
	ck_assert(!strv_contains(v, "usr2"));
	ck_assert(!strv_contains(v, ""));
}
END_TEST

/* Unsigned bytes, not the locale's order; equal texts all stay. */
START_TEST(sorts_by_bytes) {
	static const char *const in[] = {
		"b", "\xc3\xa4", "", "B", "a", "aa", "a", "\xff"
	};
	static const char *const sorted[] = { "",   "B", "a",	     "a",
					      "aa", "b", "\xc3\xa4", "\xff" };
	_cleanup_strv_ char **v = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(in); i++)
		ck_assert_int_eq(strv_append(&v, in[i]), 0);
	strv_sort(v);
	for (size_t i = 0; i < ARRAY_SIZE(sorted); i++)
		ck_assert_str_eq(v[i], sorted[i]);
	ck_assert_ptr_null(v[ARRAY_SIZE(sorted)]);
}
END_TEST

int main(void) {
	return unit_main("strv", (const TTest *const[]){
					 null_is_empty,
					 append_copies,
					 contains_whole_texts,
					 sorts_by_bytes,
					 NULL,
				 });
}

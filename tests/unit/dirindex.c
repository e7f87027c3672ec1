/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Names are found, in their order, with their layers. */

#include <check.h>

#include "fuse/dirindex.h"
#include "unit.h"

#define MANY 5000

static struct dirindex_builder builder = { .seed = 12345 };

static int add(const char *name, uint16_t layer, uint8_t flags) {
	const struct dirindex_entry e = { .layer = layer, .flags = flags, .inode = 7 };

	return dirindex_add(&builder, MANY, name, strlen(name), &e);
}

static struct dirindex *finish(void) {
	struct dirindex *x;

	ck_assert_int_eq(dirindex_finish(&builder, &x), 0);
	return x;
}

START_TEST(all_names_are_found) {
	struct dirindex *x;
	char name[32];

	for (size_t round = 0; round < 2; round++) {
		dirindex_begin(&builder);
		for (unsigned i = 0; i < MANY; i++) {
			snprintf(name, sizeof(name), "name-%u", i);
			ck_assert_ptr_null(dirindex_built(&builder, name, strlen(name)));
			ck_assert_int_eq(add(name, 3, 0), 0);
			ck_assert_ptr_nonnull(
				dirindex_built(&builder, name, strlen(name)));
		}
		ck_assert_int_eq(add("one more", 0, 0), -EFBIG);
		x = finish();
		ck_assert_uint_eq(x->n, MANY);
		for (unsigned i = 0; i < MANY; i++) {
			snprintf(name, sizeof(name), "name-%u", i);
			ck_assert_uint_eq(dirindex_find(x, name, strlen(name)), i);
			ck_assert_str_eq(dirindex_name(x, &x->entries[i]), name);
		}
		ck_assert_uint_eq(dirindex_find(x, "name-5001", 9), DIRINDEX_NONE);
		ck_assert_uint_eq(dirindex_find(x, "name-", 5), DIRINDEX_NONE);
		dirindex_free(x);
	}
}
END_TEST

/* union.4 */
START_TEST(whiteouts_are_left_out) {
	struct dirindex *x;

	dirindex_begin(&builder);
	add("a", 0, DIRINDEX_WHITEOUT);
	add("b", 0, 0);
	add("c", 0, DIRINDEX_WHITEOUT);
	x = finish();
	ck_assert_uint_eq(x->n, 1);
	ck_assert_uint_eq(dirindex_find(x, "a", 1), DIRINDEX_NONE);
	ck_assert_uint_eq(dirindex_find(x, "b", 1), 0);
	dirindex_free(x);
}
END_TEST

START_TEST(layers_stay_in_their_order) {
	struct dirindex_entry *e;
	struct dirindex *x;
	uint32_t more;

	dirindex_begin(&builder);
	add("d", 1, 0);
	add("e", 1, 0);
	for (uint16_t i = 2; i < 300; i++) {
		e = dirindex_built(&builder, i % 2 ? "d" : "e", 1);
		ck_assert_int_eq(dirindex_add_layer(&builder, e, i), 0);
		ck_assert_uint_eq(dirindex_lowest(&builder, e), i);
	}
	x = finish();
	more = x->entries[0].more;
	for (uint16_t i = 3; i < 300; i += 2, more = x->more[more].next)
		ck_assert_uint_eq(x->more[more].layer, i);
	ck_assert_uint_eq(more, DIRINDEX_NONE);
	dirindex_free(x);
}
END_TEST

START_TEST(odd_names) {
	char longest[DIRINDEX_NAME_MAX + 2];
	struct dirindex *x;

	dirindex_begin(&builder);
	memset(longest, 'n', sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	ck_assert_int_eq(add(longest, 0, 0), -EINVAL);
	ck_assert_int_eq(add("", 0, 0), -EINVAL);
	longest[DIRINDEX_NAME_MAX] = '\0';
	ck_assert_int_eq(add(longest, 0, 0), 0);
	ck_assert_int_eq(add("\xff\n", 0, 0), 0);
	x = finish();
	ck_assert_uint_eq(dirindex_find(x, longest, DIRINDEX_NAME_MAX), 0);
	ck_assert_uint_eq(dirindex_find(x, longest, DIRINDEX_NAME_MAX - 1), DIRINDEX_NONE);
	ck_assert_uint_eq(dirindex_find(x, longest, 4096), DIRINDEX_NONE);
	ck_assert_uint_eq(dirindex_find(x, "\xff\n", 2), 1);
	dirindex_free(x);
}
END_TEST

START_TEST(nothing_is_an_index_too) {
	struct dirindex *x;

	dirindex_begin(&builder);
	x = finish();
	ck_assert_uint_eq(x->n, 0);
	ck_assert_uint_eq(dirindex_find(x, "a", 1), DIRINDEX_NONE);
	dirindex_free(x);
	dirindex_builder_done(&builder);
}
END_TEST

int main(void) {
	const TTest *const tests[] = {
		nothing_is_an_index_too,    all_names_are_found, whiteouts_are_left_out,
		layers_stay_in_their_order, odd_names,		 NULL
	};

	return unit_main("dirindex", tests);
}

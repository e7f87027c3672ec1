/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The table of partition types and specs/gpt-types.tsv say the same. */

#include <check.h>
#include <string.h>

#include "unit.h"
#include "verity/gpt.h"

#define ARCHITECTURES 21 /* as many as gpt-types.c has room for */

static void parse_guid(const char *text, uint8_t ret[static 16]) {
	size_t n = 0;

	for (; *text; text += *text == '-' ? 1 : 2)
		if (*text != '-') {
			unsigned byte;

			ck_assert_int_eq(sscanf(text, "%2x", &byte), 1);
			ck_assert_uint_lt(n, 16);
			ret[n++] = (uint8_t)byte;
		}
	ck_assert_uint_eq(n, 16);
}

static size_t n_rows;

static void check_row(const struct unit_row *row) {
	for (size_t column = 0; column < GPT_DESIGNATOR_COUNT * GPT_ROLE_COUNT; column++) {
		enum gpt_designator d = GPT_DESIGNATOR_COUNT;
		enum gpt_role role = GPT_ROLE_COUNT;
		const char *architecture = NULL;
		uint8_t guid[16], back[16];

		parse_guid(row->cells[1 + column], guid);
		unit_assert_row(row, gpt_type_lookup(guid, &d, &role, &architecture),
				"%s is unknown", row->cells[1 + column]);
		ck_assert_str_eq(architecture, row->cells[0]);
		ck_assert_uint_eq(d * GPT_ROLE_COUNT + role, column);
		ck_assert(gpt_type_of(architecture, d, role, back));
		ck_assert_mem_eq(back, guid, sizeof(back));
	}
	n_rows++;
}

/* dissect.10 */
START_TEST(table_is_the_specified_one) {
	unit_each_row("gpt-types.tsv", 1 + GPT_DESIGNATOR_COUNT * GPT_ROLE_COUNT,
		      check_row);
	ck_assert_uint_eq(n_rows, ARCHITECTURES);
	ck_assert(!gpt_type_of("sh", GPT_ROOT, GPT_DATA, (uint8_t[16]){ 0 }));
}
END_TEST

/* dissect.14 */
START_TEST(generic_is_root_data) {
	const char *architecture = "untouched";
	enum gpt_designator d = GPT_USR;
	enum gpt_role role = GPT_VERITY;
	uint8_t guid[16];

	parse_guid("0fc63daf-8483-4772-8e79-3d69d8477de4", guid);
	ck_assert(gpt_type_lookup(guid, &d, &role, &architecture));
	ck_assert_ptr_null(architecture);
	ck_assert_int_eq(d, GPT_ROOT);
	ck_assert_int_eq(role, GPT_DATA);
}
END_TEST

START_TEST(others_are_unknown) {
	static const char *const others[] = {
		"00000000-0000-0000-0000-000000000000",
		"c12a7328-f81f-11d2-ba4b-00a0c93ec93b", /* ESP */
		"0657fd6d-a4ab-43c4-84e5-0933c84b4f4f", /* swap */
		"e3bc684f-cde8-b14d-96e7-fbcaf984b709", /* root x86-64 in the order on disk */
	};
	const char *architecture = "untouched";
	enum gpt_designator d = GPT_USR;
	enum gpt_role role = GPT_VERITY;
	uint8_t guid[16];

	parse_guid(others[_i], guid);
	ck_assert(!gpt_type_lookup(guid, &d, &role, &architecture));
	ck_assert_str_eq(architecture, "untouched");
	ck_assert_int_eq(d, GPT_USR);
	ck_assert_int_eq(role, GPT_VERITY);
}
END_TEST

int main(void) {
	Suite *s = suite_create("gpt-types");
	TCase *t = tcase_create("gpt-types");

	tcase_add_test(t, table_is_the_specified_one);
	tcase_add_test(t, generic_is_root_data);
	tcase_add_loop_test(t, others_are_unknown, 0, 4);
	suite_add_tcase(s, t);
	return unit_run(s);
}

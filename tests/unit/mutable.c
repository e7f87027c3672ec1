/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The words of Mutable= and Base=, and sizes of memory (specs: mutable.1, mutable.20, config.42). */
#include "merge/mutable.h"

#include "unit.h"

/* mutable.1 */
START_TEST(modes) {
	static const struct {
		const char *word;
		enum mutable_mode mode;
		bool keeps, imports, forgets;
	} table[] = {
		{ "no", MUTABLE_NO, false, false, false },
		{ "auto", MUTABLE_AUTO, true, false, false },
		{ "yes", MUTABLE_YES, true, false, false },
		{ "import", MUTABLE_IMPORT, false, true, false },
		{ "ephemeral", MUTABLE_EPHEMERAL, false, false, true },
		{ "ephemeral-import", MUTABLE_EPHEMERAL_IMPORT, false, true, true },
	};
	enum mutable_mode mode = MUTABLE_YES;

	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		ck_assert_int_eq(mutable_mode_from(table[i].word, &mode), 0);
		ck_assert_int_eq(mode, table[i].mode);
		ck_assert_str_eq(mutable_mode_text(mode), table[i].word);
		ck_assert(mutable_keeps(mode) == table[i].keeps);
		ck_assert(mutable_imports(mode) == table[i].imports);
		ck_assert(mutable_forgets(mode) == table[i].forgets);
	}
	ck_assert_int_eq(mutable_mode_from("true", &mode), -EINVAL);
	ck_assert_int_eq(mutable_mode_from("", &mode), -EINVAL);
	ck_assert_int_eq(mode, MUTABLE_EPHEMERAL_IMPORT);
}
END_TEST

/* mutable.20 */
START_TEST(places) {
	enum base_place place = BASE_TOP;

	ck_assert_int_eq(base_place_from("bottom", &place), 0);
	ck_assert_int_eq(place, BASE_BOTTOM);
	ck_assert_int_eq(base_place_from("top", &place), 0);
	ck_assert_int_eq(place, BASE_TOP);
	ck_assert_str_eq(base_place_text(BASE_TOP), "top");
	ck_assert_str_eq(base_place_text(BASE_BOTTOM), "bottom");
	ck_assert_int_eq(base_place_from("middle", &place), -EINVAL);
}
END_TEST

/* config.42 */
START_TEST(sizes) {
	static const struct {
		const char *text;
		bool is_size;
	} table[] = {
		{ "1", true },
		{ "64M", true },
		{ "4K", true },
		{ "1G", true },
		{ "2T", true },
		{ "10%", true },
		{ "100%", true },
		{ "101%", false },
		{ "0%", false },
		{ "0", false },
		{ "0M", false },
		{ "", false },
		{ "M", false },
		{ "64m", false },
		{ "64MB", false },
		{ "-1", false },
		{ " 1", false },
		{ "1.5G", false },
		{ "%", false },
		{ "1,nr_inodes=0", false },
		{ "1234567890123", false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		ck_assert_msg(mutable_is_size(table[i].text) == table[i].is_size, "'%s'",
			      table[i].text);
	ck_assert(mutable_is_size(MUTABLE_SIZE_DEFAULT));
}
END_TEST

int main(void) {
	return unit_main("mutable", (const TTest *const[]){ modes, places, sizes, NULL });
}

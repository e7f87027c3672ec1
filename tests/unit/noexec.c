/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The words of NoExec=, and what they mean for each class (specs: switch.16). */
#include "merge/noexec.h"

#include "unit.h"

START_TEST(words_go_round) {
	static const char *const words[] = { "auto", "yes", "no" };
	enum noexec n = NOEXEC_NO;

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		ck_assert_int_eq(noexec_from(words[i], &n), 0);
		ck_assert_uint_eq(n, i);
		ck_assert_str_eq(noexec_text(n), words[i]);
	}
	ck_assert_int_eq(noexec_from("true", &n), -EINVAL);
	ck_assert_int_eq(n, NOEXEC_NO);
}
END_TEST

START_TEST(who_is_noexec) {
	static const struct {
		enum noexec n;
		enum class_id class;
		bool runs_scripts, expected;
	} table[] = {
		{ NOEXEC_AUTO, CLASS_CONFEXT, false, true },
		{ NOEXEC_AUTO, CLASS_CONFEXT, true, false },
		{ NOEXEC_AUTO, CLASS_SYSEXT, false, false },
		{ NOEXEC_AUTO, CLASS_SYSEXT, true, false },
		{ NOEXEC_YES, CLASS_CONFEXT, true, true },
		{ NOEXEC_YES, CLASS_SYSEXT, false, true },
		{ NOEXEC_NO, CLASS_CONFEXT, false, false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		ck_assert_msg(noexec_holds(table[i].n, &classes[table[i].class],
					   table[i].runs_scripts) == table[i].expected,
			      "%zu", i);
}
END_TEST

int main(void) {
	const TTest *const tests[] = { words_go_round, who_is_noexec, NULL };

	return unit_main("noexec", tests);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The note of hooks that have to run (specs: hook.10). */
#include "merge/due.h"

#include <string.h>

#include "merge/strv.h"
#include "unit.h"

START_TEST(back_and_forth) {
	struct hook_calls c = { .triggers = TRIGGER_BIT(TRIGGER_USERS) |
					    TRIGGER_BIT(TRIGGER_UDEV),
				.has_come = true },
			  d = { 0 };
	_cleanup_free_ char *text = NULL, *again = NULL;

	ck_assert_int_eq(strv_append(&c.names[TRIGGER_USERS], "a.conf"), 0);
	ck_assert_int_eq(strv_append(&c.names[TRIGGER_USERS], "b.conf"), 0);
	ck_assert_int_eq(strv_append(&c.restart, "web.service"), 0);
	ck_assert_int_eq(strv_append(&c.reload, "log.service"), 0);
	ck_assert_int_eq(due_format(&c, &text), 0);
	ck_assert_str_eq(text,
			 "triggers users udev\ncome yes\nusers a.conf\nusers b.conf\n"
			 "restart web.service\nreload log.service\n");
	ck_assert_int_eq(due_parse(text, &d), 0);
	ck_assert_int_eq(due_parse(text, &d), 0); /* twice is once */
	ck_assert_int_eq(due_format(&d, &again), 0);
	ck_assert_str_eq(again, text);
	hook_calls_done(&c);
	hook_calls_done(&d);
}
END_TEST

START_TEST(nothing) {
	struct hook_calls c = { 0 };
	_cleanup_free_ char *text = NULL;

	ck_assert_int_eq(due_format(&c, &text), 0);
	ck_assert_str_eq(text, "triggers \n");
	ck_assert_int_eq(due_parse("", &c), 0);
	ck_assert_int_eq(due_parse(text, &c), 0);
	ck_assert_uint_eq(c.triggers, 0);
	hook_calls_done(&c);
}
END_TEST

START_TEST(nonsense) {
	static const char *const table[] = {
		"users",
		"users \n",
		"users ../a\n",
		"users -a\n",
		"users a b\n",
		"users .a\n",
		"unknown a\n",
		"restart a\n",
		"restart -a.service\n",
		"restart $(a).service\n",
		"reload ../a.service\n",
		"triggers nonsense\n",
		"users whole.con",
		"\n\n \n",
		"triggers users",
	};
	struct hook_calls c = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		ck_assert_int_eq(due_parse(table[i], &c), 0);
	ck_assert_uint_eq(c.triggers, 0);
	ck_assert_ptr_null(c.names[TRIGGER_USERS]);
	ck_assert_ptr_null(c.restart);
	ck_assert_ptr_null(c.reload);
	ck_assert(!c.has_come);
	hook_calls_done(&c);
}
END_TEST

int main(void) {
	return unit_main("due", (const TTest *const[]){ back_and_forth, nothing, nonsense,
							NULL });
}

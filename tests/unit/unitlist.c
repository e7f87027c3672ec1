/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is a unit's name, and what others than systemd call it (specs: hook.6). */
#include "merge/unitlist.h"

#include "merge/strv.h"
#include "unit.h"

#define LONG_250                                                                           \
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"  \
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"  \
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" \
	"aaaaaaaaaaaa"

START_TEST(names) {
	static const struct {
		const char *name;
		bool is_name;
	} table[] = {
		{ "web.service", true },
		{ "a@b.service", true },
		{ "dev-x\\x2d1.mount", true },
		{ "x.target", true },
		{ "web", false },
		{ ".service", false },
		{ "-f.service", false },
		{ "--now.service", false },
		{ "../x.service", false },
		{ "a/b.service", false },
		{ "$(x).service", false },
		{ "a;b.service", false },
		{ "web.conf", false },
		{ "\xc3\xa4.service", false },
		{ LONG_250 ".path", true },
		{ LONG_250 ".service", false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		_cleanup_strv_ char **good = NULL, **bad = NULL;

		ck_assert_int_eq(unitlist_add(table[i].name, &good, &bad), 0);
		ck_assert_msg(strv_length(good) == table[i].is_name, "%s", table[i].name);
		ck_assert_msg(strv_length(bad) == !table[i].is_name, "%s", table[i].name);
	}
}
END_TEST

START_TEST(lists) {
	_cleanup_strv_ char **good = NULL, **bad = NULL;

	ck_assert_int_eq(unitlist_add(NULL, &good, &bad), 0);
	ck_assert_int_eq(unitlist_add(" \t", &good, &bad), 0);
	ck_assert_ptr_null(good);
	ck_assert_int_eq(unitlist_add(" a.service\tb.socket  x a.service ", &good, &bad),
			 0);
	ck_assert_int_eq(unitlist_add("b.socket", &good, &bad), 0);
	ck_assert_uint_eq(strv_length(good), 2);
	ck_assert_str_eq(good[1], "b.socket");
	ck_assert_str_eq(bad[0], "x");
}
END_TEST

START_TEST(services) {
	static const struct {
		const char *unit, *service;
	} table[] = {
		{ "web.service", "web" },   { "a.b.service", "a.b" },
		{ "web.socket", NULL },	    { "a@b.service", NULL },
		{ "a\\x2d.service", NULL }, { "web", NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		int error = 1;
		_cleanup_free_ char *service = unitlist_service(table[i].unit, &error);

		ck_assert_int_eq(error, 0);
		ck_assert_pstr_eq(service, table[i].service);
	}
}
END_TEST

int main(void) {
	return unit_main("unitlist",
			 (const TTest *const[]){ names, lists, services, NULL });
}

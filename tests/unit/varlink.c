/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Calls of Varlink (specs: boot.9). */
#include "merge/varlink.h"

#include "unit.h"

static const struct {
	const char *text, *method;
	bool is_oneway;
} cases[] = {
	{ "{\"method\":\"a.B\"}", "a.B", false },
	{ " { \"method\" : \"a.B\" , \"parameters\" : {\"x\":[1,{\"method\":\"c\"}]} } ",
	  "a.B", false },
	{ "{\"oneway\": true,\"method\":\"a\\u002eB\"}", "a.B", true },
	{ "{\"oneway\":false,\"more\":true,\"method\":\"a.B\"}", "a.B", false },
	{ "{\"parameters\":{}}", NULL, false },
	{ "{}", NULL, false },
	{ "", NULL, false },
	{ "\"a.B\"", NULL, false },
	{ "{\"method\":1}", NULL, false },
	{ "{\"method\":\"a\",\"method\":\"b\"}", NULL, false },
	{ "{\"method\":\"a\"} x", NULL, false },
	{ "{\"method\":\"a\",}", NULL, false },
	{ "{\"method\":\"a\"", NULL, false },
	{ "{\"method\" \"a\"}", NULL, false },
	{ "{\"method\":\"a\",\"oneway\":yes}", NULL, false },
	{ "[{\"method\":\"a\"}]", NULL, false },
};

START_TEST(calls) {
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(varlink_call_done) struct varlink_call c = { 0 };
		int r = varlink_parse_call(cases[i].text, strlen(cases[i].text), &c);

		ck_assert_msg(r == (cases[i].method ? 0 : -EBADMSG), "%zu: %d", i, r);
		if (cases[i].method)
			ck_assert_str_eq(c.method, cases[i].method);
		ck_assert_msg(c.is_oneway == cases[i].is_oneway, "%zu", i);
	}
}
END_TEST

int main(void) {
	const TTest *const tests[] = { calls, NULL };

	return unit_main("varlink", tests);
}

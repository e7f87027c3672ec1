/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The limits of a configuration file's outline; what lines may be is in config.tsv (specs: config.5). */
#include "merge/conftext.h"

#include "unit.h"

static void assert_refused(const char *text, size_t len, unsigned line, const char *why) {
	struct conftext c = { .n = 7 };
	const char *said = "";
	unsigned at = 0;

	ck_assert_int_eq(conftext_parse(text, len, &c, &at, &said), -EBADMSG);
	ck_assert_uint_eq(at, line);
	ck_assert_str_eq(said, why);
	ck_assert_uint_eq(c.n, 7);
}

START_TEST(outline_is_told) {
	static const char text[] = "a=1\n[One]\nb-c_d.9 = x = y\n\n[Two]\na=";
	static const struct conftext_entry expected[] = {
		{ NULL, (char *)"a", 1 },
		{ (char *)"One", (char *)"b-c_d.9", 3 },
		{ (char *)"Two", (char *)"a", 6 },
	};
	_cleanup_(conftext_done) struct conftext c;
	const char *why;
	unsigned line;

	ck_assert_int_eq(conftext_parse(text, strlen(text), &c, &line, &why), 0);
	ck_assert_uint_eq(c.n, ARRAY_SIZE(expected));
	for (size_t i = 0; i < c.n; i++) {
		ck_assert_pstr_eq(c.items[i].section, expected[i].section);
		ck_assert_str_eq(c.items[i].key, expected[i].key);
		ck_assert_uint_eq(c.items[i].line, expected[i].line);
	}
}
END_TEST

START_TEST(nothing_is_fine) {
	_cleanup_(conftext_done) struct conftext c;
	const char *why;
	unsigned line;

	ck_assert_int_eq(conftext_parse("", 0, &c, &line, &why), 0);
	ck_assert_uint_eq(c.n, 0);
}
END_TEST

START_TEST(nul_is_refused) {
	assert_refused("[a]\nTrust=sig\0ned\n", 18, 2, "it has a NUL byte");
	assert_refused("\0", 1, 1, "it has a NUL byte");
}
END_TEST

/* The library would read the rest of a longer line as the next one. */
START_TEST(lines_have_a_limit) {
	char text[CONFTEXT_LINE_MAX + 16];
	struct conftext c;
	const char *why;
	unsigned line;

	memset(text, 'x', sizeof(text));
	text[1] = '=';
	text[CONFTEXT_LINE_MAX] = '\n';
	ck_assert_int_eq(conftext_parse(text, CONFTEXT_LINE_MAX + 1, &c, &line, &why), 0);
	ck_assert_uint_eq(c.n, 1);
	conftext_done(&c);
	text[CONFTEXT_LINE_MAX] = 'x';
	assert_refused(text, CONFTEXT_LINE_MAX + 1, 1, "it is longer than 1000 bytes");
	memset(text, '#', sizeof(text));
	assert_refused(text, CONFTEXT_LINE_MAX + 1, 1, "it is longer than 1000 bytes");
}
END_TEST

START_TEST(keys_have_a_limit) {
	char text[8 * (CONFTEXT_ENTRIES_MAX + 1)], *at = text;
	struct conftext c;
	const char *why;
	unsigned line;

	for (int i = 0; i < CONFTEXT_ENTRIES_MAX; i++)
		at += sprintf(at, "k%d=\n", i);
	ck_assert_int_eq(conftext_parse(text, (size_t)(at - text), &c, &line, &why), 0);
	ck_assert_uint_eq(c.n, CONFTEXT_ENTRIES_MAX);
	conftext_done(&c);
	at += sprintf(at, "k=\n");
	assert_refused(text, (size_t)(at - text), CONFTEXT_ENTRIES_MAX + 1,
		       "there are more than 256 keys");
}
END_TEST

int main(void) {
	const TTest *const tests[] = { outline_is_told,	  nothing_is_fine,
				       nul_is_refused,	  lines_have_a_limit,
				       keys_have_a_limit, NULL };

	return unit_main("conftext", tests);
}

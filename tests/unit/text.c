/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Proves that nothing from outside can talk to the terminal, and the sizes and guesses. */
#include "merge/text.h"

#include "unit.h"

static const struct {
	const char *text, *escaped; /* NULL where nothing changes */
} escapes[] = {
	{ "", NULL },
	{ " ~", NULL },
	{ "it's \"$(id)\" %s", NULL },
	{ "a\\b", "a\\x5cb" },
	{ "\\x1b", "\\x5cx1b" }, /* so that no two texts look alike */
	{ "a\nb\tc\r", "a\\x0ab\\x09c\\x0d" },
	{ "\x01\x1f", "\\x01\\x1f" },
	{ "\x1b[31m", "\\x1b[31m" },
	{ "\x7f", "\\x7f" },
	/* The ends of each length. */
	{ "\xc2\xa0", NULL },
	{ "\xdf\xbf", NULL },
	{ "\xe0\xa0\x80", NULL },
	{ "\xed\x9f\xbf", NULL },
	{ "\xee\x80\x80", NULL },
	{ "\xef\xbf\xbf", NULL },
	{ "\xf0\x90\x80\x80", NULL },
	{ "\xf4\x8f\xbf\xbf", NULL },
	/* C1 controls: U+009B is an escape sequence in one character. */
	{ "\xc2\x80", "\\xc2\\x80" },
	{ "\xc2\x9b", "\\xc2\\x9b" },
	{ "\xc2\x9f", "\\xc2\\x9f" },
	/* Bytes that start nothing. */
	{ "\x80", "\\x80" },
	{ "\x9b", "\\x9b" },
	{ "\xbf", "\\xbf" },
	{ "\xf5\x80\x80\x80", "\\xf5\\x80\\x80\\x80" },
	{ "\xf8\x88\x80\x80\x80", "\\xf8\\x88\\x80\\x80\\x80" },
	{ "\xfe\xff", "\\xfe\\xff" },
	/* Overlong. */
	{ "\xc0\x80", "\\xc0\\x80" },
	{ "\xc0\xaf", "\\xc0\\xaf" },
	{ "\xc1\xbf", "\\xc1\\xbf" },
	{ "\xe0\x80\xaf", "\\xe0\\x80\\xaf" },
	{ "\xe0\x9f\xbf", "\\xe0\\x9f\\xbf" },
	{ "\xf0\x80\x80\xaf", "\\xf0\\x80\\x80\\xaf" },
	{ "\xf0\x8f\xbf\xbf", "\\xf0\\x8f\\xbf\\xbf" },
	/* Surrogates, and beyond the last character. */
	{ "\xed\xa0\x80", "\\xed\\xa0\\x80" },
	{ "\xed\xbf\xbf", "\\xed\\xbf\\xbf" },
	{ "\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80" },
	/* Cut off: what follows stands for itself. */
	{ "\xc3", "\\xc3" },
	{ "\xe2\x82", "\\xe2\\x82" },
	{ "\xf0\x9f\x90", "\\xf0\\x9f\\x90" },
	{ "\xe2\x82z", "\\xe2\\x82z" },
	{ "\xe2\xc3\xa4", "\\xe2\xc3\xa4" },
	{ "\xf0\x9f\x90\n", "\\xf0\\x9f\\x90\\x0a" },
	{ "a\xff\xc3\xa4\\", "a\\xff\xc3\xa4\\x5c" },
};

START_TEST(escape) {
	const char *expected = escapes[_i].escaped ?: escapes[_i].text;
	_cleanup_free_ char *out = text_escape(escapes[_i].text);

	ck_assert_str_eq(out, expected);
}
END_TEST

/* What comes out is printable ASCII or what went in, and tells what went in. */
static bool is_faithful(const char *in, const char *out) {
	char back[3] = { 0 };
	size_t n = 0;

	for (const char *s = out; *s && n < sizeof(back) - 1; n++) {
		unsigned byte = (unsigned char)*s;

		if (byte < 0x20 || byte == 0x7f)
			return false;
		s += *s == '\\' && sscanf(s, "\\x%2x", &byte) == 1 ? 4 : 1;
		back[n] = (char)byte;
	}
	return strcmp(back, in) == 0;
}

START_TEST(escape_any_two_bytes) {
	for (unsigned i = 0x0101; i <= 0xffff; i++) {
		const char in[] = { (char)(i >> 8), (char)i, '\0' };
		_cleanup_free_ char *out = text_escape(in);

		if (!is_faithful(in, out))
			ck_abort_msg("%04x becomes '%s'", i, out);
	}
}
END_TEST

START_TEST(printable_length) {
	static const struct {
		const char *text;
		size_t length;
	} cases[] = {
		{ "", 0 },
		{ "\x1f", 0 },
		{ " a", 1 },
		{ "~", 1 },
		{ "\x7f", 0 },
		{ "\\", 1 },
		{ "\xc2\x9f", 0 },
		{ "\xc2\xa0z", 2 },
		{ "\xe2\x82", 0 },
		{ "\xe2\x82\xac\xff", 3 },
		{ "\xf0\x9f\x90\xa7", 4 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		ck_assert_msg(text_printable_length(cases[i].text) == cases[i].length,
			      "case %zu", i);
}
END_TEST

#define KIB UINT64_C(1024)
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)
#define TIB (1024 * GIB)
#define PIB (1024 * TIB)
#define EIB (1024 * PIB)

static const struct {
	uint64_t bytes;
	const char *text;
} sizes[] = {
	{ 0, "0B" },
	{ 1, "1B" },
	{ 999, "999B" },
	{ 1000, "1000B" },
	{ 1023, "1023B" },
	{ KIB, "1.0K" },
	{ 1536, "1.5K" },
	{ 10 * KIB, "10.0K" },
	{ 100 * KIB - 1, "100K" }, /* not 99.9, nor 100.0 */
	{ 100 * KIB, "100K" },
	{ 1000 * KIB, "1000K" },
	{ 1023 * KIB, "1023K" },
	{ MIB - 1, "1.0M" }, /* not 1024K */
	{ MIB, "1.0M" },
	{ 27 * MIB + 600 * KIB, "27.6M" },
	{ GIB - 1, "1.0G" },
	{ GIB, "1.0G" },
	{ TIB, "1.0T" },
	{ PIB, "1.0P" },
	{ EIB, "1.0E" },
	{ UINT64_MAX / 16, "1.0E" },
	{ UINT64_MAX / 16 + 1, "1.0E" },
	{ UINT64_MAX / 10, "1.6E" },
	{ 4 * EIB, "4.0E" },
	{ 15 * EIB + EIB / 2, "15.5E" },
	{ UINT64_MAX, "16.0E" },
};

START_TEST(size) {
	char text[8];

	text_size(sizes[_i].bytes, text);
	ck_assert_str_eq(text, sizes[_i].text);
}
END_TEST

/* Never longer than promised, around each power of two. */
START_TEST(size_is_short) {
	for (unsigned bit = 0; bit < 64; bit++)
		for (uint64_t d = 0; d < 2048; d++) {
			char text[8];

			text_size((UINT64_C(1) << bit) + d - 1024, text);
			if (strlen(text) > 6 || !strchr("BKMGTPE", text[strlen(text) - 1]))
				ck_abort_msg("'%s'", text);
		}
}
END_TEST

#define WORD31 "abcdefghijklmnopqrstuvwxyzabcde"

START_TEST(nearest) {
	static const char *const words[] = { "list",	"plan",	  "merge",    "refresh",
					     "unmerge", "status", "why",      "verify",
					     "inspect", WORD31,	  WORD31 "f", NULL };
	static const struct {
		const char *word, *nearest;
	} cases[] = {
		{ "list", "list" },
		{ "lits", NULL }, /* two edits of four letters */
		{ "lst", "list" },
		{ "lisst", "list" },
		{ "lost", "list" },
		{ "pln", "plan" },
		{ "mergge", "merge" },
		{ "emrge", "merge" },
		{ "umerge", "merge" }, /* one edit from both: the first stands */
		{ "unmrge", "unmerge" },
		{ "refersh", "refresh" },
		{ "refrehs", "refresh" },
		{ "rfrsh", "refresh" },
		{ "rfrs", NULL }, /* three edits */
		{ "stauts", "status" },
		{ "wyh", NULL }, /* two edits of three letters */
		{ "wh", "why" },
		{ "w", NULL },
		{ "", NULL },
		{ "LIST", NULL },
		{ "frobnicate", NULL },
		{ WORD31, WORD31 },
		{ WORD31 "x", NULL }, /* too long to be a word */
		{ "bcdefghijklmnopqrstuvwxyzabcde", WORD31 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *found = text_nearest(cases[i].word, words);

		ck_assert_msg(unit_same(found, cases[i].nearest), "'%s' is '%s'",
			      cases[i].word, found ?: "none");
	}
	ck_assert_ptr_null(text_nearest("list", (const char *const[]){ NULL }));
}
END_TEST

static const struct {
	int64_t seconds;
	const char *text;
} dates[] = {
	{ 0, "1970-01-01" },	 { 86399, "1970-01-01" },
	{ 86400, "1970-01-02" }, { 951782400, "2000-02-29" },
	{ -1, "1969-12-31" },	 { 253402300799, "9999-12-31" },
	{ INT64_MAX, "?" },
};

START_TEST(date) {
	char text[16];

	text_date(dates[_i].seconds, text);
	ck_assert_str_eq(text, dates[_i].text);
}
END_TEST

START_TEST(format) {
	_cleanup_free_ char *text = text_format("%s:%d%%", "a", -1);
	_cleanup_free_ char *empty = text_format("%s", "");
	_cleanup_free_ char *longer = text_format("%5000d", 7);

	ck_assert_str_eq(text, "a:-1%");
	ck_assert_str_eq(empty, "");
	ck_assert_uint_eq(strlen(longer), 5000);
}
END_TEST

START_TEST(texts_are_joined) {
	_cleanup_free_ char *joined = NULL, *none = NULL;

	ck_assert_int_eq(text_join("; ", (const char *const[]){ NULL, "a", NULL, "b" }, 4,
				   &joined),
			 0);
	ck_assert_str_eq(joined, "a; b");
	ck_assert_int_eq(text_join("; ", (const char *const[]){ NULL }, 1, &none), 0);
	ck_assert_ptr_null(none);
}
END_TEST

int main(void) {
	Suite *s = suite_create("text");
	TCase *t = tcase_create("text");

	tcase_add_loop_test(t, escape, 0, ARRAY_SIZE(escapes));
	tcase_add_test(t, escape_any_two_bytes);
	tcase_add_test(t, printable_length);
	tcase_add_loop_test(t, size, 0, ARRAY_SIZE(sizes));
	tcase_add_test(t, size_is_short);
	tcase_add_test(t, nearest);
	tcase_add_loop_test(t, date, 0, ARRAY_SIZE(dates));
	tcase_add_test(t, format);
	tcase_add_test(t, texts_are_joined);
	suite_add_tcase(s, t);
	return unit_run(s);
}

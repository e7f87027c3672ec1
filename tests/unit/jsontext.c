/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is JSON and what is not, and what strings come to. */

#include <check.h>
#include <string.h>

#include "unit.h"
#include "verity/jsontext.h"

/* Texts have an end of their own, so that AddressSanitizer sees a byte too far. */
static struct jsontext open_text(const char *text, size_t len, uint8_t **ret_copy) {
	*ret_copy = malloc(len);
	memcpy(*ret_copy, text, len);
	return (struct jsontext){ .at = *ret_copy, .end = *ret_copy + len };
}

#define VALUE "not a JSON value"
#define STRING "not the string that is expected"
#define CLOSED "a string is not closed"
#define COMMA "a comma or the end of an object or array is missing"
#define COLON "a key has no value"
#define DEEP "nested too deep"
#define ESCAPE "an unknown escape in a string"
#define HALF "half a surrogate pair in a string"
#define UTF8 "a string is not UTF-8"
#define CONTROL "a control character in a string"
#define NUL "a NUL in a string"

static const struct {
	const char *text, *why;
} values[] = {
	{ "true", NULL },
	{ "false", NULL },
	{ "null", NULL },
	{ "0", NULL },
	{ "-0", NULL },
	{ "10", NULL },
	{ "-1.5e+10", NULL },
	{ "0.25", NULL },
	{ "1E-3", NULL },
	{ "1e5", NULL },
	{ "\"\"", NULL },
	{ "{}", NULL },
	{ "[]", NULL },
	{ " [ ] ", NULL },
	{ "{ }", NULL },
	{ "[1,2 , 3]", NULL },
	{ "[[],{},\"\"]", NULL },
	{ "{\"a\":1}", NULL },
	{ "{\"a\":{\"b\":[{}]},\"c\" : null}", NULL },
	{ "\t\r\n1\n", NULL },
	{ "[[[[[[[[]]]]]]]]", NULL },
	{ "", VALUE },
	{ " ", VALUE },
	{ "tru", VALUE },
	{ "True", VALUE },
	{ "-", VALUE },
	{ "+1", VALUE },
	{ ".5", VALUE },
	{ "1.", VALUE },
	{ "1e", VALUE },
	{ "1e+", VALUE },
	{ "--1", VALUE },
	{ "[1,]", VALUE },
	{ "[,1]", VALUE },
	{ "[1 2]", COMMA },
	{ "[01]", COMMA },
	{ "[1", COMMA },
	{ "[1}", COMMA },
	{ "[nullx]", COMMA },
	{ "{\"a\":1", COMMA },
	{ "{\"a\":1]", COMMA },
	{ "{\"a\":1,}", STRING },
	{ "{1:2}", STRING },
	{ "{", STRING },
	{ "[", VALUE },
	{ "{\"a\"}", COLON },
	{ "{\"a\" 1}", COLON },
	{ "{\"a\":}", VALUE },
	{ "{\"a\":1,\"b\"}", COLON },
	{ "\"a", CLOSED },
	{ "\"\\\"", CLOSED },
	{ "[[[[[[[[[]]]]]]]]]", DEEP },
	{ "{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{}}}}}}}}}", DEEP },
	{ "[\"\\x\"]", ESCAPE },
};

START_TEST(value_is_skipped) {
	const char *text = values[_i].text;
	_cleanup_free_ uint8_t *copy = NULL;
	struct jsontext j = open_text(text, strlen(text), &copy);
	int r;

	r = jsontext_skip(&j);
	ck_assert_msg(unit_same(j.why, values[_i].why), "%s", j.why);
	ck_assert_int_eq(r, values[_i].why ? -EBADMSG : 0);
	if (r == 0)
		ck_assert(jsontext_is_done(&j));
}
END_TEST

/* verity.14 */
static const struct {
	const char *text, *value, *why;
} strings[] = {
	{ "\"\"", "", NULL },
	{ " \"a b\"", "a b", NULL },
	{ "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t", NULL },
	{ "\"\\u0041\\u00e9\\u20AC\\uffff\"", "A\xc3\xa9\xe2\x82\xac\xef\xbf\xbf", NULL },
	{ "\"\\u007f\\u0080\\u07ff\\u0800\"", "\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80", NULL },
	{ "\"\\ud83d\\ude00\\ud800\\udc00\"", "\xf0\x9f\x98\x80\xf0\x90\x80\x80", NULL },
	{ "\"\\udbff\\udfff\"", "\xf4\x8f\xbf\xbf", NULL },
	{ "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\x7f\"",
	  "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\x7f", NULL },
	{ "\"\xc2\x80\xed\x9f\xbf\xee\x80\x80\xf4\x8f\xbf\xbf\"",
	  "\xc2\x80\xed\x9f\xbf\xee\x80\x80\xf4\x8f\xbf\xbf", NULL },
	{ "\"\\x41\"", NULL, ESCAPE },
	{ "\"\\U0041\"", NULL, ESCAPE },
	{ "\"\\'\"", NULL, ESCAPE },
	{ "\"\\", NULL, ESCAPE },
	{ "\"\\u", NULL, ESCAPE },
	{ "\"\\u004", NULL, ESCAPE },
	{ "\"\\u004\"", NULL, ESCAPE },
	{ "\"\\u00 1\"", NULL, ESCAPE },
	{ "\"\\u+041\"", NULL, ESCAPE },
	{ "\"\\ud83d\"", NULL, HALF },
	{ "\"\\ud83dx\"", NULL, HALF },
	{ "\"\\ud83d\\n\"", NULL, HALF },
	{ "\"\\ud83d\\u\"", NULL, ESCAPE },
	{ "\"\\ud83d\\u0041\"", NULL, HALF },
	{ "\"\\ud83d\\ud83d\"", NULL, HALF },
	{ "\"\\ude00\"", NULL, HALF },
	{ "\"\\u0000\"", NULL, NUL },
	{ "\"\n\"", NULL, CONTROL },
	{ "\"\x1f\"", NULL, CONTROL },
	{ "\"\x80\"", NULL, UTF8 },
	{ "\"\xbf\"", NULL, UTF8 },
	{ "\"\xc0\xaf\"", NULL, UTF8 },
	{ "\"\xc1\xbf\"", NULL, UTF8 },
	{ "\"\xc3\"", NULL, UTF8 },
	{ "\"\xc3", NULL, UTF8 },
	{ "\"\xe0\x80\xaf\"", NULL, UTF8 },
	{ "\"\xe2\x82\"", NULL, UTF8 },
	{ "\"\xed\xa0\x80\"", NULL, UTF8 },
	{ "\"\xed\xbf\xbf\"", NULL, UTF8 },
	{ "\"\xf0\x80\x80\x80\"", NULL, UTF8 },
	{ "\"\xf4\x90\x80\x80\"", NULL, UTF8 },
	{ "\"\xf5\x80\x80\x80\"", NULL, UTF8 },
	{ "\"\xff\"", NULL, UTF8 },
	{ "\"abc", NULL, CLOSED },
	{ "\"", NULL, CLOSED },
	{ "'a'", NULL, STRING },
	{ "", NULL, STRING },
};

START_TEST(string_is_decoded) {
	const char *text = strings[_i].text;
	_cleanup_free_ uint8_t *copy = NULL;
	struct jsontext j = open_text(text, strlen(text), &copy);
	_cleanup_free_ char *out = malloc(strlen(text));
	struct jsontext_sink sink = { out };
	int r;

	r = jsontext_string(&j, &sink);
	ck_assert_msg(unit_same(j.why, strings[_i].why), "%s", j.why);
	ck_assert_int_eq(r, strings[_i].why ? -EBADMSG : 0);
	if (r < 0)
		return;
	ck_assert_str_eq(out, strings[_i].value);
	ck_assert_ptr_eq(sink.at, out + strlen(out) + 1);
	ck_assert(j.at == j.end);
}
END_TEST

/* A NUL in the text is no blank, no digit and no part of a string. */
START_TEST(nul_is_refused) {
	static const struct {
		const char *text;
		size_t len;
	} texts[] = {
		{ "\0001", 2 },	   { "[\0]", 3 }, { "\"\0\"", 3 },
		{ "\"\\\0\"", 4 }, { "{\0}", 3 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		_cleanup_free_ uint8_t *copy = NULL;
		struct jsontext j = open_text(texts[i].text, texts[i].len, &copy);

		ck_assert_int_eq(jsontext_skip(&j), -EBADMSG);
		ck_assert_ptr_nonnull(j.why);
	}
}
END_TEST

/* threats.md row 13: a hundred thousand brackets need no stack. */
START_TEST(depth_is_bounded) {
	enum { N = 100000 };
	_cleanup_free_ char *text = malloc(N);
	_cleanup_free_ uint8_t *copy = NULL;
	struct jsontext j;

	memset(text, '[', N);
	j = open_text(text, N, &copy);
	ck_assert_int_eq(jsontext_skip(&j), -EBADMSG);
	ck_assert_str_eq(j.why, DEEP);
	j = (struct jsontext){ .at = (uint8_t *)"[[]]", .end = j.at, .depth = 7 };
	j.end = j.at + 4;
	ck_assert_int_eq(jsontext_skip(&j), -EBADMSG);
	ck_assert_str_eq(j.why, DEEP);
}
END_TEST

int main(void) {
	Suite *s = suite_create("jsontext");
	TCase *t = tcase_create("jsontext");

	tcase_add_loop_test(t, value_is_skipped, 0, ARRAY_SIZE(values));
	tcase_add_loop_test(t, string_is_decoded, 0, ARRAY_SIZE(strings));
	tcase_add_test(t, nul_is_refused);
	tcase_add_test(t, depth_is_bounded);
	suite_add_tcase(s, t);
	return unit_run(s);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Signature partitions: what systemd-repart writes is read, each fault is refused with its sentence. */

#include <check.h>
#include <string.h>

#include "unit.h"
#include "verity/sigpart.h"

#define H16 "00112233445566778899aabbccddeeff"
#define HASH H16 H16
#define PRINT "ffeeddccbbaa99887766554433221100" H16

#define NO_OBJECT "there is no JSON object"
#define MISSING_HASH "rootHash is missing"
#define MISSING_SIGNATURE "signature is missing"
#define TWICE "a key is there twice"
#define LENGTH "rootHash has the length of no allowed hash"
#define LOWER "rootHash is not lower-case hexadecimal"
#define BASE64 "signature is not base64"
#define FINGERPRINT "certificateFingerprint is not 64 lower-case hexadecimal digits"
#define STRING "not the string that is expected"
#define TRAILING "text behind the JSON object"
#define COMMA "a comma or the end of an object or array is missing"

#define WITH_HASH(hash) "{\"rootHash\":\"" hash "\",\"signature\":\"MAA=\"}"
#define WITH_SIGNATURE(signature) \
	"{\"rootHash\":\"" HASH "\",\"signature\":\"" signature "\"}"
#define WITH(more) "{\"rootHash\":\"" HASH "\",\"signature\":\"MAA=\"" more "}"

/* verity.12 to verity.17; threats.md row 13 */
static const struct {
	const char *text;
	size_t hash, signature; /* sizes */
	const char *why;
} cases[] = {
	{ WITH(""), 32, 2, NULL },
	{ WITH(",\"certificateFingerprint\":\"" PRINT "\""), 32, 2, NULL },
	{ " \n" WITH("") "\n ", 32, 2, NULL },
	{ "{\"signature\" : \"MAA=\" , \"rootHash\" : \"" HASH "\"}", 32, 2, NULL },
	{ WITH_HASH(H16 H16 H16), 48, 2, NULL },
	{ WITH_HASH(H16 H16 H16 H16), 64, 2, NULL },
	{ WITH_SIGNATURE("MAAA"), 32, 3, NULL },
	{ WITH_SIGNATURE("MA=="), 32, 1, NULL },
	{ WITH_SIGNATURE("AZaz09+/MAAAMAAA"), 32, 12, NULL },
	/* escapes say the same in another way */
	{ WITH_SIGNATURE("\\/\\/\\u002B\\u002f"), 32, 3, NULL },
	{ "{\"root\\u0048ash\":\"" HASH "\",\"signature\":\"MAA=\"}", 32, 2, NULL },
	/* verity.17: unknown members of any type */
	{ WITH(",\"a\":[1,{\"rootHash\":2}],\"b\":null,\"\":{\"x\":[\"\\u00e9\"]}"), 32,
	  2, NULL },
	{ WITH(",\"RootHash\":1,\"roothash\":2,\"rootHash2\":3"), 32, 2, NULL },
	{ WITH(",\"a\":[[[[[[[]]]]]]]"), 32, 2, NULL },
	{ WITH(",\"a\":[[[[[[[[]]]]]]]]"), 0, 0, "nested too deep" },
	/* verity.12 */
	{ "", 0, 0, NO_OBJECT },
	{ " ", 0, 0, NO_OBJECT },
	{ "[]", 0, 0, NO_OBJECT },
	{ "\"rootHash\"", 0, 0, NO_OBJECT },
	{ "\xef\xbb\xbf" WITH(""), 0, 0, NO_OBJECT },
	{ WITH("") "x", 0, 0, TRAILING },
	{ WITH("") "{}", 0, 0, TRAILING },
	{ WITH("") ",", 0, 0, TRAILING },
	/* verity.13 */
	{ WITH(",\"rootHash\":\"" HASH "\""), 0, 0, TWICE },
	{ WITH(",\"root\\u0048ash\":\"" HASH "\""), 0, 0, TWICE },
	{ WITH(",\"x\":1,\"x\":1"), 0, 0, TWICE },
	{ WITH(",\"\":1,\"\":1"), 0, 0, TWICE },
	{ WITH(",\"\\u00e9\":1,\"\xc3\xa9\":1"), 0, 0, TWICE },
	/* syntax */
	{ "{", 0, 0, STRING },
	{ "{rootHash:1}", 0, 0, STRING },
	{ "{\"rootHash\"}", 0, 0, "a key has no value" },
	{ "{\"x\" 1}", 0, 0, "a key has no value" },
	{ WITH(","), 0, 0, STRING },
	{ WITH(" \"x\":1"), 0, 0, COMMA },
	{ "{\"x\":1", 0, 0, COMMA },
	{ "{\"x\":1]", 0, 0, COMMA },
	{ WITH(",\"x\":\"\xff\""), 0, 0, "a string is not UTF-8" },
	{ WITH(",\"\xff\":1"), 0, 0, "a string is not UTF-8" },
	{ WITH(",\"x\":\"\\u0000\""), 0, 0, "a NUL in a string" },
	/* verity.15 */
	{ "{}", 0, 0, MISSING_HASH },
	{ "{\"signature\":\"MAA=\"}", 0, 0, MISSING_HASH },
	{ WITH_HASH(""), 0, 0, LENGTH },
	{ WITH_HASH(H16), 0, 0, LENGTH },
	{ WITH_HASH(H16 H16 "00"), 0, 0, LENGTH },
	{ WITH_HASH(HASH "\\n"), 0, 0, LENGTH },
	{ WITH_HASH(H16 H16 H16 H16 H16), 0, 0, LENGTH },
	{ WITH_HASH(H16 "00112233445566778899AABBCCDDEEFF"), 0, 0, LOWER },
	{ WITH_HASH(H16 "0011223344556677 899aabbccddeeff"), 0, 0, LOWER },
	{ WITH_HASH(H16 "0011223344556677g899aabbccddeeff"), 0, 0, LOWER },
	{ "{\"rootHash\":null,\"signature\":\"MAA=\"}", 0, 0, STRING },
	{ "{\"rootHash\":[\"" HASH "\"],\"signature\":\"MAA=\"}", 0, 0, STRING },
	/* verity.16 */
	{ "{\"rootHash\":\"" HASH "\"}", 0, 0, MISSING_SIGNATURE },
	{ "{\"rootHash\":\"" HASH "\",\"signature\":1}", 0, 0, STRING },
	{ WITH_SIGNATURE(""), 0, 0, BASE64 },
	{ WITH_SIGNATURE("M"), 0, 0, BASE64 },
	{ WITH_SIGNATURE("MA"), 0, 0, BASE64 },
	{ WITH_SIGNATURE("MAA"), 0, 0, BASE64 },
	{ WITH_SIGNATURE("MAA=\\n"), 0, 0, BASE64 },
	{ WITH_SIGNATURE("MA A"), 0, 0, BASE64 },
	{ WITH_SIGNATURE("MAA-"), 0, 0, BASE64 },
	{ WITH_SIGNATURE("M==="), 0, 0, BASE64 },
	{ WITH_SIGNATURE("===="), 0, 0, BASE64 },
	{ WITH_SIGNATURE("MA=A"), 0, 0, BASE64 },
	{ WITH_SIGNATURE("MAA=MAA="), 0, 0, BASE64 },
	{ WITH_SIGNATURE("MAB="), 0, 0, BASE64 },
	{ WITH_SIGNATURE("MB=="), 0, 0, BASE64 },
	{ WITH(",\"certificateFingerprint\":\"" H16 "\""), 0, 0, FINGERPRINT },
	{ WITH(",\"certificateFingerprint\":\"\""), 0, 0, FINGERPRINT },
	{ WITH(",\"certificateFingerprint\":\"" PRINT "00\""), 0, 0, FINGERPRINT },

	{ WITH(",\"certificateFingerprint\":\"FFEEDDCCBBAA99887766554433221100" H16 "\""),
	  0, 0, FINGERPRINT },
	{ WITH(",\"certificateFingerprint\":null"), 0, 0, STRING },
};

static int parse(const void *text, size_t len, struct sigpart *ret, const char **ret_why) {
	_cleanup_free_ uint8_t *copy = malloc(len ?: 1);

	memcpy(copy, text, len);
	return sigpart_parse(copy, len, ret, ret_why);
}

START_TEST(text_is_judged) {
	const char *why = NULL;
	struct sigpart s = { .hash_size = 7 };
	int r;

	r = parse(cases[_i].text, strlen(cases[_i].text), &s, &why);
	ck_assert_msg(unit_same(why, cases[_i].why), "%s: %s", cases[_i].text, why);
	ck_assert_int_eq(r, cases[_i].why ? -EBADMSG : 0);
	ck_assert_uint_eq(s.hash_size, r < 0 ? 7 : cases[_i].hash);
	ck_assert_uint_eq(s.signature_size, cases[_i].signature);
	if (r == 0)
		sigpart_done(&s);
}
END_TEST

START_TEST(values_are_read) {
	static const char text[] = "{\"rootHash\":\"" HASH
				   "\",\"signature\":\"AQIDBP8=\","
				   "\"certificateFingerprint\":\"" PRINT "\"}";
	const char *why = "";
	struct sigpart s;

	ck_assert_int_eq(parse(text, strlen(text), &s, &why), 0);
	ck_assert_uint_eq(s.hash[1], 0x11);
	ck_assert_uint_eq(s.hash[31], 0xff);
	ck_assert_uint_eq(s.signature_size, 5);
	ck_assert_mem_eq(s.signature, "\x01\x02\x03\x04\xff", 5);
	ck_assert(s.has_fingerprint);
	ck_assert_uint_eq(s.fingerprint[0], 0xff);
	ck_assert_uint_eq(s.fingerprint[31], 0xff);
	sigpart_done(&s);
	ck_assert_ptr_null(s.signature);
	ck_assert_int_eq(parse(WITH(""), strlen(WITH("")), &s, &why), 0);
	ck_assert(!s.has_fingerprint);
	sigpart_done(&s);
}
END_TEST

#define TEXT WITH("")
#define BEHIND "bytes behind the end of the JSON text"

/* verity.12 */
START_TEST(padding_is_nul) {
	uint8_t part[4096] = TEXT;
	const char *why = "";
	struct sigpart s;

	ck_assert_int_eq(parse(part, sizeof(part), &s, &why), 0);
	sigpart_done(&s);
	part[4095] = ' ';
	ck_assert_int_eq(parse(part, sizeof(part), &s, &why), -EBADMSG);
	ck_assert_str_eq(why, BEHIND);
	part[4095] = 0;
	part[20] = 0;
	ck_assert_int_eq(parse(part, sizeof(part), &s, &why), -EBADMSG);
	ck_assert_str_eq(why, BEHIND);
	memset(part, 0, sizeof(part));
	ck_assert_int_eq(parse(part, sizeof(part), &s, &why), -EBADMSG);
	ck_assert_str_eq(why, NO_OBJECT);
}
END_TEST

START_TEST(size_is_bounded) {
	_cleanup_free_ uint8_t *part = calloc(1, SIGPART_READ_MAX + 1);
	const char *why = "";
	struct sigpart s;

	memset(part, ' ', SIGPART_TEXT_MAX + 1);
	memcpy(part, TEXT, strlen(TEXT));
	part[SIGPART_TEXT_MAX] = 0;
	ck_assert_int_eq(parse(part, SIGPART_READ_MAX, &s, &why), 0);
	sigpart_done(&s);
	part[SIGPART_TEXT_MAX] = ' ';
	ck_assert_int_eq(parse(part, SIGPART_READ_MAX, &s, &why), -EBADMSG);
	ck_assert_str_eq(why, "the JSON text is larger than 64 KiB");
	ck_assert_int_eq(parse(part, SIGPART_READ_MAX + 1, &s, &why), -EBADMSG);
	ck_assert_str_eq(why, "the signature partition is larger than 1 MiB");
}
END_TEST

/* 62 keys beside our two. */
START_TEST(keys_are_bounded) {
	for (int more = 0; more < 2; more++) {
		char text[2048] = "{\"rootHash\":\"" HASH "\",\"signature\":\"MAA=\"",
		     *to;
		const char *why = "";
		struct sigpart s;
		int r;

		to = text + strlen(text);
		for (int i = 0; i < 62 + more; i++)
			to += sprintf(to, ",\"key %d\":%d", i, i);
		strcpy(to, "}");
		r = parse(text, strlen(text), &s, &why);
		ck_assert_int_eq(r, more ? -EBADMSG : 0);
		if (r == 0)
			sigpart_done(&s);
		else
			ck_assert_str_eq(why, "more than 64 keys");
	}
}
END_TEST

/* No part of a sound text is sound. */
START_TEST(truncation_is_refused) {
	for (size_t len = 0; len < strlen(TEXT); len++) {
		const char *why = NULL;
		struct sigpart s;

		ck_assert_int_eq(parse(TEXT, len, &s, &why), -EBADMSG);
		ck_assert_ptr_nonnull(why);
	}
}
END_TEST

/* pack.12: of every length, so that base64 ends in each of its three ways. */
START_TEST(what_is_written_is_read) {
	uint8_t der[2000];

	for (size_t i = 0; i < sizeof(der); i++)
		der[i] = (uint8_t)(i * 37 + i / 256);
	for (size_t n = 1; n <= sizeof(der); n += n < 300 ? 1 : 173) {
		_cleanup_free_ uint8_t *text = NULL;
		_cleanup_(sigpart_done) struct sigpart read = { .hash_size = 0 };
		const char *why = "";
		size_t size = 0;

		ck_assert_int_eq(sigpart_format(HASH, PRINT, der, n, &text, &size), 0);
		ck_assert_uint_eq(size, SIGPART_GRAIN);
		ck_assert_msg(sigpart_parse(text, size, &read, &why) == 0, "%zu: %s", n,
			      why);
		ck_assert_uint_eq(read.hash_size, 32);
		ck_assert_uint_eq(read.hash[31], 0xff);
		ck_assert(read.has_fingerprint);
		ck_assert_uint_eq(read.fingerprint[0], 0xff);
		ck_assert_uint_eq(read.signature_size, n);
		ck_assert_mem_eq(read.signature, der, n);
	}
}
END_TEST

START_TEST(what_is_too_long_is_not_written) {
	_cleanup_free_ uint8_t *der = calloc(1, SIGPART_TEXT_MAX), *text = NULL;
	size_t size = 0;

	ck_assert_int_eq(sigpart_format(HASH, PRINT, der, SIGPART_TEXT_MAX, &text, &size),
			 -EFBIG);
	ck_assert_int_eq(sigpart_format(HASH, PRINT, der, SIGPART_TEXT_MAX / 2, &text,
					&size),
			 0);
	ck_assert_uint_eq(size % SIGPART_GRAIN, 0);
}
END_TEST

int main(void) {
	Suite *s = suite_create("sigpart");
	TCase *t = tcase_create("sigpart");

	tcase_add_loop_test(t, text_is_judged, 0, ARRAY_SIZE(cases));
	tcase_add_test(t, values_are_read);
	tcase_add_test(t, padding_is_nul);
	tcase_add_test(t, size_is_bounded);
	tcase_add_test(t, keys_are_bounded);
	tcase_add_test(t, truncation_is_refused);
	tcase_add_test(t, what_is_written_is_read);
	tcase_add_test(t, what_is_too_long_is_not_written);
	suite_add_tcase(s, t);
	return unit_run(s);
}

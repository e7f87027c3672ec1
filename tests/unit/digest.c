/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Proves that the digest is SHA-256, and that texts do not run into each other. */
#include "merge/digest.h"

#include "unit.h"

#define NONE "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define ABC "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define MILLION "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"

static void finish(struct digest *d, char ret[static DIGEST_TEXT_MAX]) {
	ck_assert_int_eq(digest_finish(d, ret), 0);
	ck_assert_uint_eq(strlen(ret), DIGEST_TEXT_MAX - 1);
	ck_assert_uint_eq(strspn(ret, "0123456789abcdef"), DIGEST_TEXT_MAX - 1);
}

/* FIPS 180's examples. */
START_TEST(is_sha256) {
	_cleanup_(digest_freep) struct digest *none = NULL, *abc = NULL, *million = NULL;
	char text[DIGEST_TEXT_MAX];

	ck_assert_int_eq(digest_new(&none), 0);
	ck_assert_int_eq(digest_new(&abc), 0);
	ck_assert_int_eq(digest_new(&million), 0);
	digest_add(none, NULL, 0);
	finish(none, text);
	ck_assert_str_eq(text, NONE);
	digest_add(abc, "a", 1);
	digest_add(abc, "bc", 2);
	finish(abc, text);
	ck_assert_str_eq(text, ABC);
	for (unsigned i = 0; i < 100000; i++)
		digest_add(million, "aaaaaaaaaa", 10);
	finish(million, text);
	ck_assert_str_eq(text, MILLION);
	digest_free(NULL);
}
END_TEST

/* All of these differ. */
static const char *const texts[][3] = {
	{ NULL, NULL, NULL },  { "", NULL, NULL },  { NULL, "", NULL },
	{ "", "", NULL },      { "a", "bc", NULL }, { "ab", "c", NULL },
	{ "abc", NULL, NULL }, { "abc", "", NULL }, { "", "abc", NULL },
	{ "-", NULL, NULL },   { "+", NULL, NULL }, { "+-", NULL, NULL },
	{ "a", "b", "c" },     { "a", "c", "b" },   { "a+b", "c", NULL },
	{ "a", "b+c", NULL },
};

START_TEST(texts_have_ends) {
	char all[ARRAY_SIZE(texts)][DIGEST_TEXT_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		_cleanup_(digest_freep) struct digest *d = NULL;

		ck_assert_int_eq(digest_new(&d), 0);
		for (size_t j = 0; j < ARRAY_SIZE(texts[i]); j++)
			digest_add_text(d, texts[i][j]);
		finish(d, all[i]);
		for (size_t j = 0; j < i; j++)
			ck_assert_msg(strcmp(all[i], all[j]) != 0, "%zu is %zu", i, j);
	}
}
END_TEST

/* The library's configuration file, which can load any engine, is not read. */
START_TEST(environment_does_not_matter) {
	_cleanup_(digest_freep) struct digest *d = NULL;
	char text[DIGEST_TEXT_MAX];

	setenv("OPENSSL_CONF", "/nonexistent/openssl.cnf", 1);
	ck_assert_int_eq(digest_new(&d), 0);
	digest_add(d, "abc", 3);
	finish(d, text);
	ck_assert_str_eq(text, ABC);
}
END_TEST

int main(void) {
	return unit_main("digest", (const TTest *const[]){
					   is_sha256,
					   texts_have_ends,
					   environment_does_not_matter,
					   NULL,
				   });
}

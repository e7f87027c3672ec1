/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Proves that the digest is XXH3 of 128 bits, and that texts do not run into each other. */
#include "merge/digest.h"

#include "unit.h"

/* As xxhsum -H2 prints them. */
#define NONE "99aa06d3014798d86001c324468d497f"
#define ABC "06b05ab6733a618578af5f94892f3950"

static void finish(struct digest *d, char ret[static DIGEST_TEXT_MAX]) {
	digest_finish(d, ret);
	ck_assert_uint_eq(strlen(ret), DIGEST_TEXT_MAX - 1);
	ck_assert_uint_eq(strspn(ret, "0123456789abcdef"), DIGEST_TEXT_MAX - 1);
}

START_TEST(is_xxh3) {
	_cleanup_(digest_freep) struct digest *none = NULL, *abc = NULL;
	char text[DIGEST_TEXT_MAX];

	ck_assert_int_eq(digest_new(&none), 0);
	ck_assert_int_eq(digest_new(&abc), 0);
	digest_add(none, NULL, 0);
	finish(none, text);
	ck_assert_str_eq(text, NONE);
	digest_add(abc, "a", 1);
	digest_add(abc, "bc", 2);
	finish(abc, text);
	ck_assert_str_eq(text, ABC);
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

int main(void) {
	return unit_main("digest", (const TTest *const[]){
					   is_xxh3,
					   texts_have_ends,
					   NULL,
				   });
}

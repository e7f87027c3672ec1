/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Known digests, with salt and without, again and again from one hasher. */

#include <check.h>
#include <string.h>

#include "unit.h"
#include "verity/hasher.h"
#include "verity/hex.h"

/* printf 'salt%s' block | shaNNNsum */
static const struct {
	const char *algorithm, *salt, *text, *digest;
} cases[] = {
	{ "sha256", "", "",
	  "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
	{ "sha256", "", "abc",
	  "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
	{ "sha256", "a", "bc",
	  "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
	{ "sha384", "ab", "c",
	  "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed"
	  "8086072ba1e7cc2358baeca134c825a7" },
	{ "sha512", "abc", "",
	  "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
	  "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f" },
};

START_TEST(digest_is_known) {
	_cleanup_(hasher_freep) struct hasher *h = NULL;
	uint8_t digest[64];
	char text[129];

	ck_assert_int_eq(hasher_new(cases[_i].algorithm, (const uint8_t *)cases[_i].salt,
				    strlen(cases[_i].salt), &h),
			 0);
	for (int again = 0; again < 3; again++) {
		memset(digest, 0xee, sizeof(digest));
		ck_assert_int_eq(hasher_digest(h, cases[_i].text, strlen(cases[_i].text),
					       digest),
				 0);
		hex_encode(digest, strlen(cases[_i].digest) / 2, text);
		ck_assert_str_eq(text, cases[_i].digest);
	}
}
END_TEST

START_TEST(others_are_refused) {
	struct hasher *h = NULL;

	ck_assert_int_eq(hasher_new("sha1", NULL, 0, &h), -ENOTSUP);
	ck_assert_int_eq(hasher_new("", NULL, 0, &h), -ENOTSUP);
	ck_assert_ptr_null(h);
	hasher_free(NULL);
}
END_TEST

int main(void) {
	Suite *s = suite_create("hasher");
	TCase *t = tcase_create("hasher");

	tcase_add_loop_test(t, digest_is_known, 0, ARRAY_SIZE(cases));
	tcase_add_test(t, others_are_refused);
	suite_add_tcase(s, t);
	return unit_run(s);
}

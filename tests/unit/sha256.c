/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Two messages at once, against libcrypto's one after the other. */

#include <check.h>
#include <string.h>

#include "unit.h"
#include "verity/hasher.h"
#include "verity/sha256.h"

static uint8_t bytes[3 * 4096];

static void fill(void) {
	uint32_t state = 1;

	for (size_t i = 0; i < sizeof(bytes); i++) {
		state = state * 1664525 + 1013904223;
		bytes[i] = (uint8_t)(state >> 24);
	}
}

/* hasher.h uses libcrypto for what comes in pieces. */
static void expect(const void *prefix, size_t prefix_size, const void *message,
		   size_t len, const uint8_t digest[static SHA256_SIZE]) {
	_cleanup_(hasher_freep) struct hasher *h = NULL;
	uint8_t expected[HASHER_SIZE_MAX];

	ck_assert_int_eq(hasher_new("sha256", NULL, 0, &h), 0);
	ck_assert_int_eq(hasher_begin(h), 0);
	ck_assert_int_eq(hasher_add(h, prefix, prefix_size), 0);
	ck_assert_int_eq(hasher_add(h, message, len), 0);
	ck_assert_int_eq(hasher_end(h, expected), 0);
	ck_assert_mem_eq(digest, expected, SHA256_SIZE);
}

static struct sha256 *begin(size_t prefix_size) {
	struct sha256 *s = NULL;
	int r = sha256_new(bytes, prefix_size, &s);

	ck_assert(r == 0 || r == -EOPNOTSUPP);
	return s;
}

/* Neither message disturbs the other, nor what both begin with. */
static void compare(const struct sha256 *s, size_t prefix_size, size_t len) {
	const uint8_t *a = bytes + 1000, *b = bytes + 6001;
	uint8_t digest_a[SHA256_SIZE], digest_b[SHA256_SIZE], one[SHA256_SIZE];

	ck_assert_int_eq(sha256_two(s, a, b, len, digest_a, digest_b), 0);
	ck_assert_int_eq(sha256_one(s, a, len, one), 0);
	ck_assert_mem_eq(one, digest_a, SHA256_SIZE);
	expect(bytes, prefix_size, a, len, digest_a);
	expect(bytes, prefix_size, b, len, digest_b);
}

/* All ways in which the prefix, the message and the end share chunks of 64 bytes. */
START_TEST(short_messages_are_right) {
	size_t prefix_size = (size_t)_i;
	_cleanup_(sha256_freep) struct sha256 *s = begin(prefix_size);

	for (size_t len = 0; s && len <= 200; len++)
		compare(s, prefix_size, len);
}
END_TEST

START_TEST(blocks_are_right) {
	static const size_t prefixes[] = { 0, 1, 20, 32, 63, 64, 65, 128, 256 };

	for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++) {
		_cleanup_(sha256_freep) struct sha256 *s = begin(prefixes[i]);

		for (size_t len = 512; s && len <= 4096; len *= 2)
			compare(s, prefixes[i], len);
	}
}
END_TEST

START_TEST(one_may_be_both) {
	_cleanup_(sha256_freep) struct sha256 *s = begin(32);
	uint8_t a[SHA256_SIZE], b[SHA256_SIZE];

	if (!s)
		return;
	ck_assert_int_eq(sha256_two(s, bytes, bytes, 4096, a, b), 0);
	ck_assert_mem_eq(a, b, SHA256_SIZE);
	expect(bytes, 32, bytes, 4096, a);
	sha256_free(NULL);
}
END_TEST

int main(void) {
	Suite *s = suite_create("sha256");
	TCase *t = tcase_create("sha256");

	tcase_add_unchecked_fixture(t, fill, NULL);
	tcase_add_loop_test(t, short_messages_are_right, 0, 130);
	tcase_add_test(t, blocks_are_right);
	tcase_add_test(t, one_may_be_both);
	suite_add_tcase(s, t);
	return unit_run(s);
}

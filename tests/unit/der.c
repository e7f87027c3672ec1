/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Proves that there is one encoding for each value, and that nothing is read behind the end (specs: signature.2). */
#include "verity/der.h"

#include "blob.h"
#include "unit.h"

#define CUT "an element is cut off"
#define TAG "a tag of more than one byte"
#define INDEFINITE "an indefinite length"
#define LONG "a length that is not in its shortest form"
#define FORM "an element that has not the form of its type"
#define VALUE "a value that is not in its only form"
#define BEHIND "bytes behind the end"
#define DEEP "elements are nested too deep"

static const struct {
	const char *hex, *why; /* NULL: sound */
} elements[] = {
	{ "", CUT },
	{ "30", CUT },
	{ "30 00", NULL },
	{ "30 01", CUT },
	{ "30 03 04 00", CUT },
	{ "30 00 00", BEHIND },
	{ "30 00 30 00", BEHIND },
	{ "05 00 05 00", BEHIND },
	{ "30 02 05 00", NULL },
	{ "30 04 05 00 05 00", NULL },
	{ "30 03 05 00 05", CUT },
	{ "30 05 30 02 05 00 05", CUT },
	/* A child that is longer than its parent, though the bytes are there. */
	{ "30 06 30 03 04 02 41 42", CUT },
	{ "31 04 30 03 04 00", CUT },
	/* tags */
	{ "1f 01 00", TAG },
	{ "3f 01 00", TAG },
	{ "bf 22 00", TAG },
	{ "30 02 9f 00", TAG },
	{ "00 00", FORM },
	{ "20 00", FORM },
	{ "30 02 00 00", FORM },
	{ "10 00", FORM },
	{ "11 00", FORM },
	{ "24 04 04 02 41 42", FORM },
	{ "2c 00", FORM },
	{ "22 03 02 01 00", FORM },
	{ "80 00", NULL },
	{ "a0 00", NULL },
	{ "a0 02 05 00", NULL },
	{ "a0 02 05", CUT },
	{ "40 03 ff ff ff", NULL },
	{ "c5 01 00", NULL },
	/* lengths */
	{ "30 80 05 00 00 00", INDEFINITE },
	{ "04 80", INDEFINITE },
	{ "04 81", CUT },
	{ "04 81 00", LONG },
	{ "04 81 01 41", LONG },
	{ "04 81 7f 41", LONG },
	{ "04 82 00 80", LONG },
	{ "04 81 80", CUT },
	{ "04 82 01", CUT },
	{ "04 82 7f ff", CUT },
	{ "04 83 ff ff ff", CUT },
	{ "04 84 ff ff ff ff", CUT },
	{ "04 85 01 00 00 00 00", CUT },
	{ "04 85 00 00 00 00 01", LONG },
	{ "04 88 ff ff ff ff ff ff ff ff", CUT },
	{ "04 89 01 00 00 00 00 00 00 00 00", CUT },
	{ "04 ff 41", CUT },
	/* BOOLEAN */
	{ "01 01 00", NULL },
	{ "01 01 ff", NULL },
	{ "01 01 01", VALUE },
	{ "01 00", VALUE },
	{ "01 02 00 00", VALUE },
	/* INTEGER */
	{ "02 00", VALUE },
	{ "02 01 00", NULL },
	{ "02 01 ff", NULL },
	{ "02 02 00 80", NULL },
	{ "02 02 00 7f", VALUE },
	{ "02 02 00 00", VALUE },
	{ "02 02 ff 7f", NULL },
	{ "02 02 ff 80", VALUE },
	{ "30 04 02 02 00 01", VALUE },
	/* BIT STRING */
	{ "03 00", VALUE },
	{ "03 01 00", NULL },
	{ "03 01 01", VALUE },
	{ "03 02 00 ff", NULL },
	{ "03 02 07 80", NULL },
	{ "03 02 07 c0", VALUE },
	{ "03 02 01 01", VALUE },
	{ "03 02 08 00", VALUE },
	/* NULL */
	{ "05 01 00", VALUE },
	/* OBJECT IDENTIFIER */
	{ "06 00", VALUE },
	{ "06 01 2a", NULL },
	{ "06 01 80", VALUE },
	{ "06 02 2a 86", VALUE },
	{ "06 03 2a 80 01", VALUE },
	{ "06 02 80 01", VALUE },
	{ "06 04 2a 86 80 01", NULL },
	/* what has no rule here */
	{ "0c 02 ff 00", NULL },
	{ "17 00", NULL },
};

START_TEST(element) {
	struct blob b = blob_hex(elements[_i].hex);
	_cleanup_free_ uint8_t *exact = malloc(b.len);
	const char *why = NULL;
	int r;

	memcpy(exact, b.data, b.len);
	r = der_check(exact, b.len, &why);
	ck_assert_pstr_eq(why, elements[_i].why);
	ck_assert_int_eq(r, why ? -EBADMSG : 0);
}
END_TEST

/* The least and the most of each number of length bytes, up to 64 KiB. */
START_TEST(long_lengths) {
	static const size_t lengths[] = { 0x7f, 0x80, 0xff, 0x100, 0xffff, 0x10000 };
	size_t len = lengths[_i], n = 0;
	_cleanup_free_ uint8_t *data = calloc(1, 8 + len + 1);
	const char *why = NULL;

	data[n++] = DER_OCTET_STRING;
	if (len >= 0x80)
		data[n++] = (uint8_t)(0x80 | (len >= 0x10000 ? 3 : len >= 0x100 ? 2 : 1));
	for (int shift = len >= 0x10000 ? 16
			 : len >= 0x100 ? 8
					: 0;
	     shift >= 0; shift -= 8)
		data[n++] = (uint8_t)(len >> shift);
	ck_assert_int_eq(der_check(data, n + len, &why), 0);
	ck_assert_int_eq(der_check(data, n + len - 1, &why), -EBADMSG);
	ck_assert_str_eq(why, CUT);
	ck_assert_int_eq(der_check(data, n + len + 1, &why), -EBADMSG);
	ck_assert_str_eq(why, BEHIND);
}
END_TEST

/* threats.md: depth is a number, not the stack of this program. */
START_TEST(depth) {
	struct blob b = { .len = 0 };
	const char *why = NULL;
	uint8_t many[20000];

	for (size_t i = 0; i < DER_DEPTH_MAX; i++)
		b = blob_wrap(DER_SEQUENCE, 1, &b);
	ck_assert_int_eq(der_check(b.data, b.len, &why), 0);
	b = blob_hex("05 00");
	for (size_t i = 0; i < DER_DEPTH_MAX; i++)
		b = blob_wrap(DER_CONTEXT_0, 1, &b);
	ck_assert_int_eq(der_check(b.data, b.len, &why), 0);
	b = blob_wrap(DER_SET, 1, &b);
	ck_assert_int_eq(der_check(b.data, b.len, &why), -EBADMSG);
	ck_assert_str_eq(why, DEEP);

	for (size_t i = 0; i + 4 <= sizeof(many); i += 4) {
		size_t rest = sizeof(many) - i - 4;

		many[i] = DER_SEQUENCE;
		many[i + 1] = 0x82;
		many[i + 2] = (uint8_t)(rest >> 8);
		many[i + 3] = (uint8_t)rest;
	}
	ck_assert_int_eq(der_check(many, sizeof(many), &why), -EBADMSG);
	ck_assert_str_eq(why, DEEP);
}
END_TEST

START_TEST(take) {
	struct blob b = blob_hex("30 05 02 01 07 05 00 04 01 41");
	struct der all = { b.data, b.len }, sequence, d = { 0 };

	ck_assert(der_is_next(&all, DER_SEQUENCE));
	ck_assert(!der_take(&all, DER_SET, &d));
	ck_assert_ptr_null(d.data);
	ck_assert(der_take(&all, DER_SEQUENCE, &sequence));
	ck_assert_uint_eq(sequence.len, 5);
	ck_assert_uint_eq(all.len, 3);
	ck_assert(der_take_whole(&sequence, DER_INTEGER, &d));
	ck_assert_ptr_eq(d.data, b.data + 2);
	ck_assert_uint_eq(d.len, 3);
	ck_assert(!der_take_whole(&sequence, DER_INTEGER, &d));
	ck_assert(der_take(&sequence, DER_NULL, &d));
	ck_assert_uint_eq(d.len, 0);
	ck_assert(!der_is_next(&sequence, DER_NULL));
	ck_assert(!der_take(&sequence, DER_NULL, &d));
	ck_assert(der_take(&all, DER_OCTET_STRING, &d));
	ck_assert_uint_eq(d.data[0], 'A');
	ck_assert_uint_eq(all.len, 0);
}
END_TEST

/* Without der_check() before, a broken element is not taken. */
START_TEST(take_is_safe) {
	static const char *const broken[] = { "04", "04 02 41", "04 80", "04 81 01 41" };

	for (size_t i = 0; i < ARRAY_SIZE(broken); i++) {
		struct blob b = blob_hex(broken[i]);
		struct der from = { b.data, b.len }, d;

		ck_assert(!der_take(&from, DER_OCTET_STRING, &d));
		ck_assert(!der_take_whole(&from, DER_OCTET_STRING, &d));
		ck_assert_uint_eq(from.len, b.len);
	}
}
END_TEST

START_TEST(equal) {
	static const uint8_t text[] = "abcabd";
	struct der a = { text, 3 }, same = { text, 3 }, other = { text + 3, 3 },
		   more = { text, 4 };

	ck_assert(der_equal(&a, &same));
	ck_assert(!der_equal(&a, &other));
	ck_assert(!der_equal(&a, &more));
}
END_TEST

int main(void) {
	Suite *s = suite_create("der");
	TCase *t = tcase_create("der");

	tcase_add_loop_test(t, element, 0, ARRAY_SIZE(elements));
	tcase_add_loop_test(t, long_lengths, 0, 6);
	tcase_add_test(t, depth);
	tcase_add_test(t, take);
	tcase_add_test(t, take_is_safe);
	tcase_add_test(t, equal);
	suite_add_tcase(s, t);
	return unit_run(s);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Names of sidecars, texts of root hashes, and each way in which two sources can disagree. */

#include <check.h>
#include <string.h>

#include "unit.h"
#include "verity/sidecar.h"

/* sidecar.1 */
START_TEST(names_are_derived) {
	static const char *const expected[] = { "foo.roothash", "foo.roothash.p7s",
						"foo.usrhash", "foo.usrhash.p7s",
						"foo.verity" };

	for (size_t i = 0; i < SIDECAR_KIND_COUNT; i++) {
		_cleanup_free_ char *name = NULL;

		ck_assert_int_eq(sidecar_name("foo.raw", (enum sidecar_kind)i, &name), 0);
		ck_assert_str_eq(name, expected[i]);
		ck_assert_int_eq(sidecar_kind_from(expected[i] + strlen("foo")), (int)i);
		ck_assert_str_gt(expected[i], "foo.raw");
	}
}
END_TEST

static const struct {
	const char *image, *name;
} names[] = {
	{ "foo_1.2.raw", "foo_1.2.verity" },
	{ "foo.sysext.raw", "foo.sysext.verity" },
	{ "foo.raw.raw", "foo.raw.verity" },
	{ "a%s.raw", "a%s.verity" },
	{ "foo", NULL },
	{ "foo.RAW", NULL },
	{ "foo.raw.v", NULL },
	{ "foo.img", NULL },
	{ ".raw", NULL },
	{ "raw", NULL },
	{ "", NULL },
};

START_TEST(other_suffixes_are_none) {
	ck_assert_int_eq(sidecar_kind_from(".raw"), -ENOENT);
	ck_assert_int_eq(sidecar_kind_from(".roothash.p7"), -ENOENT);
	ck_assert_int_eq(sidecar_kind_from(""), -ENOENT);
}
END_TEST

START_TEST(name_needs_suffix) {
	_cleanup_free_ char *name = NULL;

	ck_assert_int_eq(sidecar_name(names[_i].image, SIDECAR_TREE, &name),
			 names[_i].name ? 0 : -EINVAL);
	ck_assert(unit_same(name, names[_i].name));
	ck_assert_str_eq(sidecar_attribute(GPT_ROOT), "user.verity.roothash");
	ck_assert_str_eq(sidecar_attribute(GPT_USR), "user.verity.usrhash");
}
END_TEST

#define LENGTH "a root hash has 16 to 64 bytes"
#define DIGITS "a root hash is written in hexadecimal digits"
#define H16 "00112233445566778899aabbccddeeff"
#define H64 H16 H16 H16 H16

/* sidecar.2 */
static const struct {
	const char *text;
	size_t size;
	const char *why;
} texts[] = {
	{ H16, 16, NULL },	    { H16 "\n", 16, NULL },
	{ H16 H16, 32, NULL },	    { H16 H16 H16 "\n", 48, NULL },
	{ H64, 64, NULL },	    { H64 "\n", 64, NULL },
	{ H16 "AbCdEf", 19, NULL }, { "", 0, LENGTH },
	{ "\n", 0, LENGTH },	    { "00112233445566778899aabbccddee\n", 0, LENGTH },
	{ H64 "00", 0, LENGTH },    { H64 "\n\n", 0, LENGTH },
	{ H16 "\n\n", 0, DIGITS },  { H16 "\r\n", 0, DIGITS },
	{ H16 "0", 0, DIGITS },	    { " " H16 " ", 0, DIGITS },
	{ "0x" H16, 0, DIGITS },    { H16 "gg", 0, DIGITS },
};

START_TEST(hash_is_read) {
	uint8_t hash[SIDECAR_HASH_MAX] = { 1 };
	const char *text = texts[_i].text, *why = NULL;
	size_t size = 0;
	int r;

	r = sidecar_parse_hash(text, strlen(text), hash, &size, &why);
	ck_assert_int_eq(r, texts[_i].why ? -EBADMSG : 0);
	ck_assert_msg(unit_same(why, texts[_i].why), "%s", why);
	ck_assert_uint_eq(size, texts[_i].size);
	ck_assert_uint_eq(hash[0], r < 0 ? 1 : 0);
	if (r == 0)
		ck_assert_uint_eq(hash[15], 0xff);
}
END_TEST

/* A claim: origin, designator, size, and what its bytes count up from. */
#define CLAIM(origin, designator, size, start) \
	{ origin, designator, size, start }

struct spec {
	enum sidecar_origin origin;
	enum gpt_designator designator;
	size_t size;
	uint8_t start;
};

#define FILE_ SIDECAR_FROM_FILE
#define XATTR SIDECAR_FROM_ATTRIBUTE
#define JSON SIDECAR_FROM_SIGNATURE
#define UUIDS SIDECAR_FROM_UUIDS
#define ROOT GPT_ROOT
#define USR GPT_USR
#define DIFFERENT "two sources name different root hashes"
#define OTHER_UUIDS "the partitions' UUIDs are not those of the root hash"
#define DESIGNATORS "one root hash is for root, another for usr"

/* sidecar.4 to sidecar.7; threats.md rows 10 and 15 */
static const struct {
	size_t n;
	struct spec claims[4];
	enum sidecar_origin best;
	const char *why;
} combinations[] = {
	{ 1, { CLAIM(FILE_, ROOT, 32, 1) }, FILE_, NULL },
	{ 1, { CLAIM(UUIDS, USR, 32, 1) }, UUIDS, NULL },
	{ 2, { CLAIM(FILE_, ROOT, 32, 1), CLAIM(XATTR, ROOT, 32, 1) }, XATTR, NULL },
	{ 2, { CLAIM(JSON, USR, 48, 1), CLAIM(XATTR, USR, 48, 1) }, JSON, NULL },
	{ 4,
	  { CLAIM(UUIDS, USR, 32, 1), CLAIM(FILE_, USR, 32, 1), CLAIM(JSON, USR, 32, 1),
	    CLAIM(XATTR, USR, 32, 1) },
	  JSON,
	  NULL },
	{ 2, { CLAIM(FILE_, ROOT, 32, 1), CLAIM(XATTR, ROOT, 32, 2) }, 0, DIFFERENT },
	{ 2, { CLAIM(FILE_, ROOT, 32, 1), CLAIM(XATTR, ROOT, 48, 1) }, 0, DIFFERENT },
	{ 2, { CLAIM(FILE_, ROOT, 48, 1), CLAIM(XATTR, ROOT, 32, 1) }, 0, DIFFERENT },
	{ 2, { CLAIM(JSON, ROOT, 32, 1), CLAIM(FILE_, ROOT, 32, 2) }, 0, DIFFERENT },
	{ 2, { CLAIM(XATTR, ROOT, 32, 1), CLAIM(JSON, ROOT, 32, 2) }, 0, DIFFERENT },
	{ 3,
	  { CLAIM(FILE_, ROOT, 32, 1), CLAIM(JSON, ROOT, 32, 1),
	    CLAIM(XATTR, ROOT, 32, 2) },
	  0,
	  DIFFERENT },
	{ 2, { CLAIM(FILE_, ROOT, 32, 1), CLAIM(XATTR, USR, 32, 1) }, 0, DESIGNATORS },
	{ 2, { CLAIM(UUIDS, ROOT, 32, 1), CLAIM(JSON, USR, 32, 1) }, 0, DESIGNATORS },
	/* sidecar.6: the first and last bytes, and those only */
	{ 2, { CLAIM(UUIDS, ROOT, 32, 1), CLAIM(FILE_, ROOT, 32, 1) }, FILE_, NULL },
	{ 2, { CLAIM(UUIDS, ROOT, 32, 1), CLAIM(FILE_, ROOT, 48, 1) }, 0, OTHER_UUIDS },
	{ 2, { CLAIM(UUIDS, ROOT, 32, 1), CLAIM(XATTR, ROOT, 32, 2) }, 0, OTHER_UUIDS },
	/* sidecar.7 */
	{ 2, { CLAIM(UUIDS, ROOT, 32, 1), CLAIM(JSON, ROOT, 32, 2) }, JSON, NULL },
	{ 3,
	  { CLAIM(UUIDS, ROOT, 32, 1), CLAIM(JSON, ROOT, 32, 2),
	    CLAIM(XATTR, ROOT, 32, 1) },
	  0,
	  DIFFERENT },
};

static struct sidecar_claim make_claim(const struct spec *s) {
	struct sidecar_claim c = { .origin = s->origin,
				   .designator = s->designator,
				   .size = s->size };

	for (size_t i = 0; i < s->size; i++)
		c.hash[i] = (uint8_t)(s->start + i);
	return c;
}

START_TEST(claims_are_combined) {
	struct sidecar_claim claims[4], one = { .size = 7 };
	const char *why = NULL;
	int r;

	for (size_t i = 0; i < combinations[_i].n; i++)
		claims[i] = make_claim(&combinations[_i].claims[i]);
	r = sidecar_combine(claims, combinations[_i].n, &one, &why);
	ck_assert_msg(unit_same(why, combinations[_i].why), "%s", why);
	ck_assert_int_eq(r, combinations[_i].why ? -EBADMSG : 0);
	if (r < 0)
		ck_assert_uint_eq(one.size, 7);
	else
		ck_assert_int_eq(one.origin, combinations[_i].best);
}
END_TEST

START_TEST(no_claim_is_no_hash) {
	struct sidecar_claim one;
	const char *why = NULL;

	ck_assert_int_eq(sidecar_combine(NULL, 0, &one, &why), -ENODATA);
}
END_TEST

/* The halves of a longer hash are its first and last 16 bytes. */
START_TEST(uuids_make_a_claim) {
	const struct spec spec = CLAIM(FILE_, USR, 64, 1);
	struct sidecar_claim claims[2] = { make_claim(&spec) }, one;
	const char *why = NULL;

	claims[1] = sidecar_claim_of_uuids(USR, claims[0].hash, claims[0].hash + 48);
	ck_assert_int_eq(claims[1].origin, UUIDS);
	ck_assert_uint_eq(claims[1].size, 32);
	ck_assert_int_eq(sidecar_combine(claims, 2, &one, &why), 0);
	ck_assert_uint_eq(one.size, 64);
	for (size_t i = 0; i < 32; i++) {
		claims[1].hash[i] ^= 1;
		ck_assert_int_eq(sidecar_combine(claims, 2, &one, &why), -EBADMSG);
		claims[1].hash[i] ^= 1;
	}
}
END_TEST

int main(void) {
	Suite *s = suite_create("sidecar");
	TCase *t = tcase_create("sidecar");

	tcase_add_test(t, names_are_derived);
	tcase_add_test(t, other_suffixes_are_none);
	tcase_add_loop_test(t, name_needs_suffix, 0, ARRAY_SIZE(names));
	tcase_add_loop_test(t, hash_is_read, 0, ARRAY_SIZE(texts));
	tcase_add_loop_test(t, claims_are_combined, 0, ARRAY_SIZE(combinations));
	tcase_add_test(t, no_claim_is_no_hash);
	tcase_add_test(t, uuids_make_a_claim);
	suite_add_tcase(s, t);
	return unit_run(s);
}

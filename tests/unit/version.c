/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Proves the order of versions, and that it is one (specs: order.1, order.2). */
#include "merge/version.h"

#include "unit.h"

#define TRIPLES 200000

static int sign(int r) {
	return (r > 0) - (r < 0);
}

static void check_vector(const struct unit_row *row) {
	const char *a = row->cells[0], *relation = row->cells[1], *b = row->cells[2];
	int expected = relation[0] == '<' ? -1 : relation[0] == '>';
	int r = sign(version_compare(a, b)), back = sign(version_compare(b, a));

	unit_assert_row(row, r == expected, "'%s' to '%s' is %d", a, b, r);
	unit_assert_row(row, back == -expected, "'%s' to '%s' is %d", b, a, back);
	if (expected != 0)
		unit_assert_row(row, sign(version_compare_total(a, b)) == expected,
				"total");
	else
		unit_assert_row(row,
				sign(version_compare_total(a, b)) == sign(strcmp(a, b)),
				"total has no tie break");
}

START_TEST(vectors) {
	unit_each_row("version.tsv", 3, check_vector);
}
END_TEST

START_TEST(null_is_the_empty_string) {
	ck_assert_int_eq(version_compare(NULL, ""), 0);
	ck_assert_int_eq(version_compare_total(NULL, ""), 0);
	ck_assert_int_eq(version_compare_total(NULL, NULL), 0);
	ck_assert_int_lt(version_compare(NULL, "0"), 0);
	ck_assert_int_gt(version_compare("0", NULL), 0);
	ck_assert_int_gt(version_compare_total("_", NULL), 0);
}
END_TEST

/* The bytes of the tie break are unsigned. */
START_TEST(tie_break_is_by_unsigned_bytes) {
	ck_assert_int_eq(version_compare("1\xce\xb1", "1_"), 0);
	ck_assert_int_gt(version_compare_total("1\xce\xb1", "1_"), 0);
}
END_TEST

static uint64_t random_bits(uint64_t *state) {
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state >> 11;
}

/* The alphabet is small so that strings that are nearly equal are frequent. */
static void random_version(uint64_t *state, char ret[8]) {
	static const char alphabet[] = "01aB~.-^_";
	size_t n = random_bits(state) % 7;

	for (size_t i = 0; i < n; i++)
		ret[i] = alphabet[random_bits(state) % (sizeof(alphabet) - 1)];
	ret[n] = '\0';
}

static void check_order(int (*compare)(const char *, const char *), const char *a,
			const char *b, const char *c) {
	int ab = sign(compare(a, b)), bc = sign(compare(b, c)), ac = sign(compare(a, c));

	ck_assert_int_eq(compare(a, a), 0);
	ck_assert_msg(sign(compare(b, a)) == -ab, "'%s' '%s' not antisymmetric", a, b);
	/* Transitive, and what is equal compares alike with everything. */
	if (ab == 0 || bc == 0 || ab == bc)
		ck_assert_msg(ac == (ab != 0 ? ab : bc), "'%s' %d '%s' %d '%s' but %d", a,
			      ab, b, bc, c, ac);
}

START_TEST(is_an_order) {
	uint64_t state = 0x9e3779b97f4a7c15;

	for (unsigned i = 0; i < TRIPLES; i++) {
		char a[8], b[8], c[8];

		random_version(&state, a);
		random_version(&state, b);
		random_version(&state, c);
		check_order(version_compare, a, b, c);
		check_order(version_compare_total, a, b, c);
		ck_assert_int_eq(version_compare_total(a, b) == 0, strcmp(a, b) == 0);
	}
}
END_TEST

START_TEST(valid) {
	static const struct {
		const char *version;
		bool valid;
	} cases[] = {
		{ "1", true },		{ "1.2~rc1-3^post_4", true },
		{ "a", true },		{ "", false },
		{ "1+2", true },	{ "1 2", false },
		{ "1/2", false },	{ "1\n", false },
		{ "1\xce\xb1", false }, { "1,2", false },
	};
	char longest[257];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		ck_assert_msg(version_is_valid(cases[i].version) == cases[i].valid,
			      "'%s'", cases[i].version);

	memset(longest, '1', sizeof(longest));
	longest[256] = '\0';
	ck_assert(!version_is_valid(longest));
	longest[255] = '\0';
	ck_assert(version_is_valid(longest));
}
END_TEST

int main(void) {
	return unit_main("version", (const TTest *const[]){
					    vectors,
					    null_is_the_empty_string,
					    tie_break_is_by_unsigned_bytes,
					    is_an_order,
					    valid,
					    NULL,
				    });
}

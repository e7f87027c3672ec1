/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Proves the grammar of release files (specs: match.1). */
#include "merge/release.h"

#include "unit.h"

/* Cells: text, then "KEY" and its value ("-" where absent), or "!LINE" and the reason. */
static void check_vector(const struct unit_row *row) {
	_cleanup_(release_freep) struct release *r = NULL;
	const char *text = row->cells[0], *key = row->cells[1], *value = row->cells[2];
	const char *why = NULL;
	unsigned line = 0;
	int error = release_parse(text, strlen(text), &r, &why, &line);

	if (key[0] == '!') {
		unit_assert_row(row, error == -EINVAL && !r, "not refused (%d)", error);
		unit_assert_row(row, unit_same(why, value), "because '%s'", why);
		unit_assert_row(row, line == strtoul(key + 1, NULL, 10), "line %u", line);
		return;
	}
	unit_assert_row(row, error == 0, "refused in line %u: %s", line, why);
	unit_assert_row(row, unit_same(release_get(r, key), unit_null(value)),
			"%s is '%s'", key, release_get(r, key) ?: "absent");
	unit_assert_row(row, !why && line == 0, "outputs of a refusal were written");
}

START_TEST(vectors) {
	unit_each_row("release.tsv", 3, check_vector);
}
END_TEST

static void assert_refused(const char *text, size_t len, int error, const char *reason,
			   unsigned at) {
	struct release *r = NULL;
	const char *why = NULL;
	unsigned line = 99;

	ck_assert_int_eq(release_parse(text, len, &r, &why, &line), error);
	ck_assert_ptr_null(r);
	ck_assert_str_eq(why, reason);
	ck_assert_uint_eq(line, at);
	ck_assert_int_eq(release_parse(text, len, &r, &why, NULL), error);
}

START_TEST(nul_bytes) {
	static const char value[] = "A=1\nB=a\0b\n", comment[] = "#\0\n",
			  last[] = "A=1\0";

	assert_refused(value, sizeof(value) - 1, -EINVAL, "a NUL byte", 2);
	assert_refused(comment, sizeof(comment) - 1, -EINVAL, "a NUL byte", 1);
	assert_refused(last, sizeof(last) - 1, -EINVAL, "a NUL byte", 1);
}
END_TEST

START_TEST(size) {
	_cleanup_(release_freep) struct release *r = NULL;
	_cleanup_free_ char *text = malloc(RELEASE_SIZE_MAX + 1);
	const char *why = NULL;

	memset(text, '\n', RELEASE_SIZE_MAX + 1);
	assert_refused(text, RELEASE_SIZE_MAX + 1, -EFBIG, "larger than 64 KiB", 0);
	ck_assert_int_eq(release_parse(text, RELEASE_SIZE_MAX, &r, &why, NULL), 0);
	ck_assert(release_is_empty(r));
}
END_TEST

START_TEST(number_of_assignments) {
	_cleanup_(release_freep) struct release *r = NULL;
	char text[1025 * 4];
	const char *why = NULL;

	for (size_t i = 0; i < 1025; i++)
		memcpy(text + 4 * i, i == 1023 ? "B=2\n" : "A=1\n", 4);
	assert_refused(text, sizeof(text), -EINVAL, "more than 1024 assignments", 1025);
	ck_assert_int_eq(release_parse(text, sizeof(text) - 4, &r, &why, NULL), 0);
	ck_assert_str_eq(release_get(r, "B"), "2");
}
END_TEST

START_TEST(empty) {
	static const char *const texts[] = { "", "\n", "# only\n  # comments",
					     " \t\r\n\r\n" };

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		_cleanup_(release_freep) struct release *r = NULL;
		const char *why = NULL;

		ck_assert_int_eq(release_parse(texts[i], strlen(texts[i]), &r, &why, NULL),
				 0);
		ck_assert(release_is_empty(r));
		ck_assert_ptr_null(release_get(r, "ID"));
	}
}
END_TEST

/* A text need not be a string: it has no byte behind it. */
START_TEST(no_terminator) {
	_cleanup_(release_freep) struct release *r = NULL, *none = NULL;
	_cleanup_free_ char *text = strndup("ID=debian", 9);
	_cleanup_free_ char *exact = malloc(9);
	const char *why = NULL;

	memcpy(exact, text, 9);
	ck_assert_int_eq(release_parse(exact, 9, &r, &why, NULL), 0);
	ck_assert_str_eq(release_get(r, "ID"), "debian");
	ck_assert(!release_is_empty(r));
	ck_assert_int_eq(release_parse(NULL, 0, &none, &why, NULL), 0);
	release_free(NULL);
}
END_TEST

START_TEST(truth) {
	static const char *const yes[] = { "1", "yes", "Y", "TRUE", "t", "on" };
	static const char *const no[] = { "", "0", "no", "2", "yess", "off" };

	for (size_t i = 0; i < ARRAY_SIZE(yes); i++)
		ck_assert_msg(release_is_true(yes[i]), "%s", yes[i]);
	for (size_t i = 0; i < ARRAY_SIZE(no); i++)
		ck_assert_msg(!release_is_true(no[i]), "%s", no[i]);
	ck_assert(!release_is_true(NULL));
}
END_TEST

int main(void) {
	return unit_main("release", (const TTest *const[]){
					    vectors,
					    nul_bytes,
					    size,
					    number_of_assignments,
					    empty,
					    no_terminator,
					    truth,
					    NULL,
				    });
}

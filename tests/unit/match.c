/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Proves the rules and the choice of the release file (specs: match.2 to match.13). */
#include "merge/match.h"

#include "unit.h"

static struct release *parse(const struct unit_row *row, const char *text) {
	struct release *r = NULL;
	const char *why = "";

	unit_assert_row(row, release_parse(text, strlen(text), &r, &why, NULL) == 0, "%s",
			why ?: "?");
	return r;
}

/* Cells: class, host architecture, scope, host release, extension release, word, text. */
static void check_vector(const struct unit_row *row) {
	_cleanup_(release_freep) struct release *host = parse(row, row->cells[3]);
	_cleanup_(release_freep) struct release *extension = parse(row, row->cells[4]);
	_cleanup_(verdict_done) struct verdict v = { 0 };
	const char *text = unit_null(row->cells[6]);
	const struct match_host h = {
		.release = host,
		.architecture = unit_null(row->cells[1]),
		.scope = row->cells[2],
	};
	const struct class *class = class_find(row->cells[0]);

	unit_assert_row(row, class, "no class '%s'", row->cells[0]);
	ck_assert_int_eq(match_release(class, &h, extension, &v), 0);
	unit_assert_row(row, unit_same(verdict_word(v.code), row->cells[5]), "%s (%s)",
			verdict_word(v.code), v.text ?: "");
	unit_assert_row(row, unit_same(v.text, text), "the sentence is '%s'",
			v.text ?: "");
	unit_assert_row(row, v.code == VERDICT_FITS || verdict_is_forcible(v.code),
			"match.10: not forcible");
}

START_TEST(vectors) {
	unit_each_row("match.tsv", 7, check_vector);
}
END_TEST

/* A verdict from before stands. */
START_TEST(first_reason_stands) {
	const struct unit_row row = { .file = "none" };
	_cleanup_(release_freep) struct release *empty = parse(&row, "");
	_cleanup_(verdict_done) struct verdict v = { 0 };
	const struct match_host h = { empty, "x86-64", "system" };

	ck_assert_int_eq(verdict_set(&v, VERDICT_UNSAFE_PATH, "%s", "first"), 0);
	ck_assert_int_eq(match_release(&classes[CLASS_SYSEXT], &h, empty, &v), 0);
	ck_assert_int_eq(v.code, VERDICT_UNSAFE_PATH);
	ck_assert_str_eq(v.text, "first");
}
END_TEST

static const struct {
	const char *full, *name;
	struct match_candidate candidates[4];
	ssize_t expected;
} choices[] = {
	/* match.12 */
	{ "foo", "foo", { { "foo", false } }, 0 },
	{ "foo_1", "foo", { { "bar", true }, { "foo", false }, { "foo_1", false } }, 2 },
	{ "foo_1", "foo", { { "foo_1", true }, { "foo", true } }, 0 },
	/* match.13: the name, the stem, the attribute */
	{ "foo_1", "foo", { { "bar", false }, { "foo", false } }, 1 },
	{ "my_tool_1", "my_tool", { { "my_tool", false } }, 0 },
	{ "my_tool_1", "my_tool", { { "my", false } }, 0 },
	{ "foo+3", "foo", { { "foo", false } }, 0 },
	{ "foo+x", "foo+x", { { "foo", false } }, 0 },
	{ "foo", "foo", { { "bar", true } }, 0 },
	{ "foo", "foo", { { "bar", false }, { "baz", true } }, 1 },
	/* one file by two rules is one file */
	{ "foo_1", "foo", { { "foo", true } }, 0 },
	/* two files */
	{ "foo", "foo", { { "bar", true }, { "baz", true } }, -ENOTUNIQ },
	{ "foo_1", "foo", { { "foo", false }, { "baz", true } }, -ENOTUNIQ },
	{ "my_tool_1", "my_tool", { { "my_tool", false }, { "my", false } }, -ENOTUNIQ },
	/* none: an image under another name (threat 20) */
	{ "sshd", "sshd", { { "foo", false } }, -ENOENT },
	{ "foo_1", "foo", { { "foo_2", false }, { "fo", false } }, -ENOENT },
	{ "foo",
	  "foo",
	  { { "foo_1", false }, { "Foo", false }, { "foo+1", false } },
	  -ENOENT },
	{ "foo", "foo", { { NULL, false } }, -ENOENT },
	/* no stem */
	{ "_foo", "_foo", { { "", false } }, -ENOENT },
	{ "_foo", "_foo", { { "_foo", false } }, 0 },
};

START_TEST(choice) {
	for (size_t i = 0; i < ARRAY_SIZE(choices); i++) {
		size_t n = 0;
		ssize_t found;

		while (n < 4 && choices[i].candidates[n].suffix)
			n++;
		found = match_choose(choices[i].candidates, n, choices[i].full,
				     choices[i].name);
		ck_assert_msg(found == choices[i].expected, "%zu, %s: %zd", i,
			      choices[i].full, found);
	}
	ck_assert_int_eq(match_choose(NULL, 0, "foo", "foo"), -ENOENT);
}
END_TEST

int main(void) {
	return unit_main("match", (const TTest *const[]){
					  vectors,
					  first_reason_stands,
					  choice,
					  NULL,
				  });
}

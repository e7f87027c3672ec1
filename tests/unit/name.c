/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Proves the splitting of names and the choice between versions (specs: discover.*). */
#include "merge/name.h"

#include "unit.h"

static const char *const kinds[] = {
	[NAME_FILE] = "file",
	[NAME_DIRECTORY] = "directory",
	[NAME_PICK_FILES] = "pick-files",
	[NAME_PICK_DIRECTORIES] = "pick-directories",
};

static enum name_kind kind_of(const char *cell) {
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (strcmp(kinds[i], cell) == 0)
			return (enum name_kind)i;
	ck_abort_msg("no kind '%s'", cell);
}

static int number(const char *cell) {
	return unit_null(cell) ? atoi(cell) : NAME_TRIES_NONE;
}

static void check_parts(const struct unit_row *row, const struct name *n) {
	char *const *c = row->cells + 3;

	unit_assert_row(row, unit_same(n->full, c[0]), "full is '%s'", n->full);
	unit_assert_row(row, unit_same(n->name, c[1]), "name is '%s'", n->name);
	unit_assert_row(row, unit_same(n->version, unit_null(c[2])), "version is '%s'",
			n->version ?: "absent");
	unit_assert_row(row, unit_same(n->architecture, unit_null(c[3])),
			"architecture is '%s'", n->architecture ?: "absent");
	unit_assert_row(row, n->left == number(c[4]), "left is %d", n->left);
	unit_assert_row(row, n->done == number(c[5]), "done is %d", n->done);
}

/* Cells: entry, kind, class suffix, then the parts, or "!" and why, or "!none". */
static void check_vector(const struct unit_row *row) {
	_cleanup_(name_done) struct name n = { .left = -7 };
	const char *expected = row->cells[3], *why = NULL;
	int r = name_parse(row->cells[0], kind_of(row->cells[1]), row->cells[2], &n, &why);

	if (expected[0] != '!') {
		unit_assert_row(row, r == 0, "refused (%d): %s", r, why ?: "not ours");
		unit_assert_row(row, !why, "a reason was written");
		check_parts(row, &n);
		return;
	}
	unit_assert_row(row, n.left == -7 && !n.full, "the output was written");
	if (strcmp(expected, "!none") == 0) {
		unit_assert_row(row, r == -ENOENT && !why, "not ignored (%d)", r);
		return;
	}
	unit_assert_row(row, r == -EINVAL, "not refused (%d)", r);
	unit_assert_row(row, strcmp(why, expected + 1) == 0, "because '%s'", why);
}

START_TEST(vectors) {
	unit_each_row("names.tsv", 9, check_vector);
}
END_TEST

/* An entry of `len` bytes with its suffix. */
static int parse_long(size_t len, struct name *ret, const char **ret_why) {
	char entry[512];

	memset(entry, 'a', len);
	strcpy(entry + len - 4, ".raw");
	return name_parse(entry, NAME_FILE, ".sysext", ret, ret_why);
}

START_TEST(length) {
	_cleanup_(name_done) struct name n = { 0 };
	const char *why = NULL;

	ck_assert_int_eq(parse_long(256, &n, &why), -EINVAL);
	ck_assert_str_eq(why, "the name is longer than 255 bytes");
	ck_assert_int_eq(parse_long(255, &n, &why), 0);
	ck_assert_uint_eq(strlen(n.name), 251);
}
END_TEST

START_TEST(done_twice) {
	struct name n = { .full = strdup("a"), .name = strdup("a"), .left = 1 };

	name_done(&n);
	name_done(&n);
	ck_assert_int_eq(n.left, NAME_TRIES_NONE);
	ck_assert_ptr_null(n.full);
}
END_TEST

/* discover.pick: of each pair the first one is taken on arm64, whose secondary is arm. */
START_TEST(pick) {
	static const struct {
		const char *better, *worse;
	} cases[] = {
		/* 1: tries left */
		{ "a_1+1.raw", "a_2+0.raw" },
		{ "a_1.raw", "a_2+0-3.raw" },
		/* 2: version */
		{ "a_2+1.raw", "a_1+9.raw" },
		{ "a_10_arm.raw", "a_9_arm64.raw" },
		{ "a_1.raw", "a.raw" },
		{ "a_1+0.raw", "a+0.raw" },
		{ "a_1.raw", "a_1~rc1.raw" },
		/* 3: architecture */
		{ "a_1_arm64.raw", "a_1_arm.raw" },
		{ "a_1_arm.raw", "a_1.raw" },
		{ "a_1_arm64+1.raw", "a_1.raw" },
		{ "a_1_arm64+1.raw", "a_1_arm+2.raw" },
		{ "a_1.raw", "a_1_x86.raw" },
		/* 4: more left */
		{ "a_1.raw", "a_1+9.raw" },
		{ "a_1+2.raw", "a_1+1.raw" },
		{ "a_1+2-9.raw", "a_1+1-0.raw" },
		/* 5: fewer done */
		{ "a_1+2-1.raw", "a_1+2-2.raw" },
		{ "a_1+2.raw", "a_1+2-1.raw" },
		/* 6: bytes, where even the version is equal */
		{ "a_1_.raw", "a_1.raw" },
		{ "a_1+2-0.raw", "a_1+2.raw" },
		{ "a_01.raw", "a_001.raw" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(name_done) struct name a = { 0 }, b = { 0 };
		const char *why;

		ck_assert_int_eq(name_parse(cases[i].better, NAME_FILE, ".sysext", &a,
					    &why),
				 0);
		ck_assert_int_eq(name_parse(cases[i].worse, NAME_FILE, ".sysext", &b,
					    &why),
				 0);
		ck_assert_msg(name_compare_pick(&a, &b, "arm64", "arm") > 0, "%s, %s",
			      cases[i].better, cases[i].worse);
		ck_assert_msg(name_compare_pick(&b, &a, "arm64", "arm") < 0, "%s, %s",
			      cases[i].worse, cases[i].better);
		ck_assert_int_eq(name_compare_pick(&a, &a, "arm64", "arm"), 0);
	}
}
END_TEST

/* discover.tie: a file and a directory of one full name are left to their kinds. */
START_TEST(pick_leaves_kinds_alone) {
	_cleanup_(name_done) struct name a = { 0 }, b = { 0 };
	const char *why;

	ck_assert_int_eq(name_parse("a_1.raw", NAME_FILE, ".sysext", &a, &why), 0);
	ck_assert_int_eq(name_parse("a_1.sysext", NAME_DIRECTORY, ".sysext", &b, &why), 0);
	ck_assert_int_eq(name_compare_pick(&a, &b, "riscv64", NULL), 0);
}
END_TEST

START_TEST(printable) {
	static const struct {
		const char *text;
		bool printable;
	} cases[] = {
		{ "", true },
		{ " ~", true },
		{ "\xc2\xa0", true },	      /* U+00A0, the first after C1 */
		{ "\xdf\xbf", true },	      /* U+07FF */
		{ "\xe0\xa0\x80", true },     /* U+0800 */
		{ "\xed\x9f\xbf", true },     /* U+D7FF */
		{ "\xee\x80\x80", true },     /* U+E000 */
		{ "\xf0\x90\x80\x80", true }, /* U+10000 */
		{ "\xf4\x8f\xbf\xbf", true }, /* U+10FFFF */
		{ "\x01", false },
		{ "a\n", false },
		{ "\x1f", false },
		{ "\x7f", false },
		{ "\xc2\x80", false }, /* C1 */
		{ "\xc2\x9f", false },
		{ "\x80", false }, /* no first byte */
		{ "\xbf", false },
		{ "\xfe", false },
		{ "\xff", false },
		{ "\xc1\xa1", false }, /* overlong */
		{ "\xe0\x9f\xbf", false },
		{ "\xf0\x8f\xbf\xbf", false },
		{ "\xed\xa0\x80", false }, /* surrogates */
		{ "\xed\xbf\xbf", false },
		{ "\xf4\x90\x80\x80", false }, /* U+110000 */
		{ "\xf8\x88\x80\x80\x80", false },
		{ "\xc3", false }, /* cut off */
		{ "\xe2\x82", false },
		{ "\xf0\x9f\x90", false },
		{ "\xe2\x82z", false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		ck_assert_msg(name_is_printable(cases[i].text) == cases[i].printable,
			      "case %zu", i);
}
END_TEST

int main(void) {
	return unit_main("name", (const TTest *const[]){
					 vectors,
					 length,
					 done_twice,
					 pick,
					 pick_leaves_kinds_alone,
					 printable,
					 NULL,
				 });
}

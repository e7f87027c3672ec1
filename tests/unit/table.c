/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Proves what tables look like, on a terminal of any width and elsewhere. */
#include "merge/table.h"

#include "unit.h"

static const struct table_column columns[] = {
	{ "NAME", TABLE_TREE }, { "SIZE", TABLE_RIGHT }, { "VOID", 0 },
	{ "STATE", 0 },		{ "REASON", 0 },	 { NULL, 0 },
};

static const struct options with_legend = { .legend = true }, without_legend = { 0 };

/* A tree of two parents, one of them with two children. */
static struct table *make(const struct options *o) {
	struct table *t = table_new(o, columns);
	struct table_line *usr = table_add(t, NULL), *one, *two, *opt;

	table_set(usr, 0, "/usr");
	one = table_add(t, usr);
	table_set(one, 0, "one");
	table_set_size(one, 1, 4096);
	table_set(one, 3, "skipped");
	table_set(one, 4, "it was made for another host");
	two = table_add(t, usr);
	table_set(two, 0, "g\xc3\xb6\\\x1b");
	table_set(two, 3, "active");
	opt = table_add(t, NULL);
	table_set(opt, 0, "/opt");
	return t;
}

static void check(const struct options *o, size_t width, const char *expected) {
	struct table *t = make(o);
	char *text = table_format(t, width);

	ck_assert_str_eq(text, expected);
	free(text);
	table_free(t);
}

START_TEST(without_a_terminal) {
	check(&with_legend, 0,
	      "NAME         SIZE VOID STATE   REASON\n"
	      "/usr\n"
	      "├─one        4.0K      skipped it was made for another host\n"
	      "└─gö\\x5c\\x1b           active\n"
	      "/opt\n");
	check(&without_legend, 0,
	      "/usr\n"
	      "├─one        4.0K      skipped it was made for another host\n"
	      "└─gö\\x5c\\x1b           active\n"
	      "/opt\n");
}
END_TEST

START_TEST(on_a_wide_terminal) {
	check(&with_legend, 100,
	      "NAME         SIZE STATE   REASON\n"
	      "/usr\n"
	      "├─one        4.0K skipped it was made for another host\n"
	      "└─gö\\x5c\\x1b      active\n"
	      "/opt\n");
}
END_TEST

START_TEST(on_narrow_terminals) {
	check(&with_legend, 40,
	      "NAME         SIZE STATE\n"
	      "/usr\n"
	      "├─one        4.0K skipped\n"
	      "│     it was made for another host\n"
	      "└─gö\\x5c\\x1b      active\n"
	      "/opt\n");
	check(&with_legend, 20,
	      "NAME         SIZE\n"
	      "/usr\n"
	      "├─one        4.0K\n"
	      "│     skipped  it\n"
	      "│     was made for\n"
	      "│     another host\n"
	      "└─gö\\x5c\\x1b\n"
	      "      active\n"
	      "/opt\n");
	/* Narrower than a word: nothing is lost. */
	check(&with_legend, 1,
	      "NAME\n"
	      "/usr\n"
	      "├─one\n"
	      "│     4.0K\n│     skipped\n│     it\n│     was\n│     made\n│     for\n│     another\n│     host\n"
	      "└─gö\\x5c\\x1b\n"
	      "      active\n"
	      "/opt\n");
}
END_TEST

int main(void) {
	const TTest *const tests[] = { without_a_terminal, on_a_wide_terminal,
				       on_narrow_terminals, NULL };

	setenv("LC_ALL", "C.UTF-8", 1);
	return unit_main("table", tests);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Proves which of several extensions of one name counts (specs: discover.pick to discover.mask). */
#include "merge/candidates.h"

#include "merge/strv.h"
#include "merge/text.h"
#include "unit.h"

/*
 * Entries of directories, the better directory first, with ";" between them. "-a" is a mask, "!a" does not fit by itself, "~a" is of
 * another architecture, "?a" turned out not to fit; "a/" is a directory, "a@" a block device, "a" an image.
 * What comes of each: "=" nothing, "<N" shadowed by the N-th entry of all, "#N" masked by it.
 */
static const struct {
	const char *entries, *verdicts;
} cases[] = {
	{ "a", "=" },
	{ "a b ; c", "= = =" },
	/* Versions in one directory. */
	{ "a_1 a_2", "<2 =" },
	{ "a_10 a_9 a_8", "= <1 <1" },
	{ "a a_1", "<2 =" },
	{ "a_1_x86-64 a_1 a_1_x86", "= <1 <1" },
	{ "a_2+0 a_1", "<2 =" },
	/* One full name as several kinds. */
	{ "a/ a", "<2 =" },
	{ "a/ a@", "<2 =" },
	{ "a@ a", "<2 =" },
	{ "a_2/ a_1", "= <1" },
	/* Who does not fit keeps nobody from it in this directory, but keeps the name in later ones. */
	{ "!a_2 a_1", "! =" },
	{ "?a_2 a_1", "= =" },
	{ "?a_3 ?a_2 a_1", "= = =" },
	{ "!a_2 ; a_1", "! <1" },
	{ "?a_2 ; a_1", "= <1" },
	{ "!a_1 a_2", "! =" },
	{ "~a_2 ; a_1", "~ =" },
	{ "~a_2 a_1 ; a_3", "~ = <2" },
	/* Directories: the first one has it, whatever the versions are. */
	{ "a_1 ; a_2", "= <1" },
	{ "a_1 ; a_2 ; a_3 b", "= <1 <1 =" },
	{ "b ; a ; a b", "= = <2 <1" },
	/* Masks: of their directory and of later ones, but not of earlier ones. */
	{ "-a a_1", "#1" },
	{ "a_1 -a", "#2" },
	{ "-a ; a_1 a_2", "#1 #1" },
	{ "a_1 ; -a ; a_2", "= <1" },
	{ "-a !a_1", "!" },
	{ "-a b", "=" },
	{ "-a ?a_1", "#1" },
	{ "-a -a a", "#2" },
};

/* The N-th of all entries, for paths: "/3/a_1.raw". */
static struct extension *make(const char *entry, unsigned number) {
	struct extension *e = extension_new(&classes[CLASS_SYSEXT]);
	const char *name = entry + strspn(entry, "-!~?");
	_cleanup_free_ char *bare = strndup(name, strcspn(name, "/@"));
	const char *why;

	ck_assert_int_eq(name_parse(bare, NAME_DIRECTORY, ".sysext", &e->name, &why), 0);
	e->path = text_format("/%u/%s", number, bare);
	e->kind = strchr(name, '/')   ? EXTENSION_DIRECTORY
		  : strchr(name, '@') ? EXTENSION_BLOCK
				      : EXTENSION_RAW;
	if (*entry == '!')
		ck_assert_int_eq(verdict_set(&e->verdict, VERDICT_CORRUPT, "x"), 0);
	if (*entry == '~')
		ck_assert_int_eq(verdict_set(&e->verdict, VERDICT_OTHER_ARCHITECTURE, "x"),
				 0);
	return e;
}

/* "<2": the number in the path that the sentence names. */
static void describe(const struct extension *e, char *ret) {
	switch (e->verdict.code) {
	case VERDICT_SHADOWED:
	case VERDICT_MASKED:
		sprintf(ret, "%c%u", e->verdict.code == VERDICT_MASKED ? '#' : '<',
			(unsigned)atoi(e->verdict.text + strlen("by /")));
		break;
	case VERDICT_CORRUPT:
		strcpy(ret, "!");
		break;
	case VERDICT_OTHER_ARCHITECTURE:
		strcpy(ret, "~");
		break;
	default:
		ck_assert(extension_fits(e));
		strcpy(ret, "=");
	}
}

static void enter(struct candidates *here, const char *entry, unsigned number,
		  char ***losers) {
	struct extension *e = make(entry, number);

	if (*entry == '?')
		ck_assert_int_eq(strv_append(losers, e->path), 0);
	ck_assert_int_eq(candidates_add(here, (struct candidate){ e, *entry == '-' }), 0);
}

START_TEST(one_of_a_name_counts) {
	_cleanup_(extensions_done) struct extensions list = { 0 };
	struct candidates here = { 0 }, taken = { 0 };
	_cleanup_strv_ char **losers = NULL;
	_cleanup_free_ char *text = text_format("%s ;", cases[_i].entries);
	char *rest = text, *entry, said[256] = "";
	unsigned number = 0;

	while ((entry = strsep(&rest, " "))) {
		if (*entry != ';') {
			enter(&here, entry, ++number, &losers);
			continue;
		}
		const struct contest contest = { "x86-64", "x86", losers };

		ck_assert_int_eq(candidates_settle(&here, &taken, &contest, &list), 0);
		ck_assert_uint_eq(here.n, 0);
	}
	for (size_t i = 0; i < list.n; i++) {
		size_t len = strlen(said);

		strcat(said, i ? " " : "");
		describe(list.items[i], said + len + (i > 0));
	}
	candidates_done(&here, &taken);
	ck_assert_str_eq(said, cases[_i].verdicts);
}
END_TEST

/* Only who could take another one's place is looked at again. */
START_TEST(rivals_are_known) {
	_cleanup_(extensions_done) struct extensions list = { 0 };
	struct candidates here = { 0 }, taken = { 0 };
	const struct contest contest = { .native = "x86-64" };
	_cleanup_strv_ char **losers = NULL;

	enter(&here, "a_1", 1, &losers);
	enter(&here, "a_2", 2, &losers);
	enter(&here, "b", 3, &losers);
	ck_assert_int_eq(candidates_settle(&here, &taken, &contest, &list), 0);
	enter(&here, "b_2", 4, &losers);
	ck_assert_int_eq(candidates_settle(&here, &taken, &contest, &list), 0);
	candidates_done(&here, &taken);
	ck_assert(!list.items[0]->has_rival);
	ck_assert(list.items[1]->has_rival);
	ck_assert(!list.items[2]->has_rival);
	ck_assert(!list.items[3]->has_rival);
}
END_TEST

/* What was not settled is freed (seen by the address sanitizer). */
START_TEST(an_end_in_between) {
	struct candidates here = { 0 }, taken = { 0 };
	_cleanup_strv_ char **losers = NULL;

	enter(&here, "a", 1, &losers);
	enter(&here, "-b", 2, &losers);
	candidates_done(&here, &taken);
	ck_assert_uint_eq(here.n + taken.n, 0);
	candidates_done(&here, &taken);
}
END_TEST

int main(void) {
	Suite *s = suite_create("candidates");
	TCase *t = tcase_create("candidates");

	tcase_add_loop_test(t, one_of_a_name_counts, 0, ARRAY_SIZE(cases));
	tcase_add_test(t, rivals_are_known);
	tcase_add_test(t, an_end_in_between);
	suite_add_tcase(s, t);
	return unit_run(s);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Proves that layers have one order, however they were found, and that it is the wanted one (specs: order.3 to order.9). */
#include "merge/order.h"

#include "merge/strv.h"
#include "unit.h"

#define SHUFFLES 200

/* Lowest first. */
static const struct {
	enum class_id class;
	const char *full, *path;
} sorted[] = {
	/* order.4: confexts first, whatever their names. */
	{ CLASS_CONFEXT, "a", "/run/confexts/a" },
	{ CLASS_CONFEXT, "zz_99", "/run/confexts/zz_99.raw" },
	{ CLASS_SYSEXT, NULL, "/run/extensions/no-name" },
	{ CLASS_SYSEXT, "B", "/run/extensions/B" },
	{ CLASS_SYSEXT, "a~", "/run/extensions/a~" },
	{ CLASS_SYSEXT, "a", "/etc/extensions/a" },
	/* order.4: the same full name, then the path's bytes. */
	{ CLASS_SYSEXT, "a", "/etc/extensions/a.raw" },
	{ CLASS_SYSEXT, "a", "/run/extensions/a" },
	/* order.2: equal as versions, different as bytes. */
	{ CLASS_SYSEXT, "a+", "/run/extensions/a+" },
	{ CLASS_SYSEXT, "a_", "/run/extensions/a_" },
	{ CLASS_SYSEXT, "a-1", "/run/extensions/a-1" },
	{ CLASS_SYSEXT, "a_1~rc1", "/run/extensions/a_1~rc1.raw" },
	{ CLASS_SYSEXT, "a_01", "/run/extensions/a_01.raw" },
	{ CLASS_SYSEXT, "a_1", "/run/extensions/a_1.raw" },
	{ CLASS_SYSEXT, "a_1+3-0", "/run/extensions/a_1+3-0.raw" },
	{ CLASS_SYSEXT, "a_2", "/etc/extensions/a_2.raw" },
	{ CLASS_SYSEXT, "a_10", "/etc/extensions/a_10.raw" },
	{ CLASS_SYSEXT, "aa", "/etc/extensions/aa.raw" },
	{ CLASS_SYSEXT, "b_1", "/etc/extensions/b_1.raw" },
};

static void fill(struct extensions *list) {
	for (size_t i = 0; i < ARRAY_SIZE(sorted); i++) {
		struct extension *e = extension_new(&classes[sorted[i].class]);

		e->name.full = sorted[i].full ? strdup(sorted[i].full) : NULL;
		e->path = strdup(sorted[i].path);
		ck_assert_int_eq(extensions_add(list, e), 0);
	}
}

static void shuffle(struct extensions *list, unsigned *seed) {
	for (size_t i = list->n - 1; i > 0; i--) {
		size_t j = (size_t)rand_r(seed) % (i + 1);
		struct extension *e = list->items[i];

		list->items[i] = list->items[j];
		list->items[j] = e;
	}
}

START_TEST(order_is_that_of_the_table) {
	_cleanup_(extensions_done) struct extensions list = { 0 };
	unsigned seed = 1;

	fill(&list);
	for (unsigned n = 0; n < SHUFFLES; n++) {
		shuffle(&list, &seed);
		ck_assert_int_eq(order_sort(&list, NULL), 0);
		for (size_t i = 0; i < list.n; i++)
			ck_assert_msg(strcmp(list.items[i]->path, sorted[i].path) == 0,
				      "shuffle %u: '%s' is number %zu, not '%s'", n,
				      list.items[i]->path, i, sorted[i].path);
	}
}
END_TEST

/* The sign of every pair is that of their places, and 0 only for the same. */
START_TEST(order_is_total) {
	_cleanup_(extensions_done) struct extensions list = { 0 };

	fill(&list);
	for (size_t i = 0; i < list.n; i++)
		for (size_t j = 0; j < list.n; j++) {
			int r = order_compare(list.items[i], list.items[j]);

			ck_assert_msg((r > 0) - (r < 0) == (i > j) - (i < j),
				      "'%s' to '%s' is %d", sorted[i].path,
				      sorted[j].path, r);
		}
}
END_TEST

START_TEST(few) {
	struct extensions list = { 0 };

	ck_assert_int_eq(order_sort(&list, NULL), 0);
	ck_assert_int_eq(extensions_add(&list, extension_new(&classes[0])), 0);
	ck_assert_int_eq(order_sort(&list, NULL), 0);
	ck_assert_uint_eq(list.n, 1);
	extensions_done(&list);
}
END_TEST

/* "a c_2 c_1": sysexts, in any order. */
static void fill_with(struct extensions *list, const char *names) {
	_cleanup_free_ char *copy = strdup(names);
	char *rest = copy, *full;

	while ((full = strsep(&rest, " "))) {
		struct extension *e = extension_new(&classes[CLASS_SYSEXT]);

		e->name.full = strdup(full);
		e->name.name = strndup(full, strcspn(full, "_"));
		e->path = strdup(full);
		ck_assert_int_eq(extensions_add(list, e), 0);
	}
}

/* Words as a strv. */
static char **split(const char *words) {
	_cleanup_free_ char *copy = strdup(words);
	char *rest = copy, *word, **v = NULL;

	while ((word = strsep(&rest, " ")))
		if (*word)
			ck_assert_int_eq(strv_append(&v, word), 0);
	return v;
}

/* "a b": a below b; the one who says so is called like the first. */
static void add_rules(struct order *o, char *const *words) {
	for (; words && words[0]; words += 2)
		ck_assert_int_eq(order_add_rule(o, words[0], words[1], strdup(words[0])),
				 0);
}

static void show(const struct extensions *list, char *ret, char *ret_by) {
	*ret = *ret_by = '\0';
	for (size_t i = 0; i < list->n; i++) {
		const struct extension *e = list->items[i];

		ret += sprintf(ret, "%s%s", i ? " " : "", e->name.full);
		ret_by += sprintf(ret_by, "%s%s", i ? " " : "", e->placed_by ?: "-");
	}
}

/* What is there, the list, the rules, what comes of it, and who has placed each. */
static const struct {
	const char *there, *list, *rules, *order, *by;
} wanted[] = {
	{ "a b c", "", "", "a b c", "- - -" },
	/* order.5: who is not named lies below, or where the star is. */
	{ "a b c", "a", "", "b c a", "- - L" },
	{ "a b c", "b a", "", "c b a", "- L L" },
	{ "a b c", "* b a", "", "c b a", "- L L" },
	{ "a b c d", "c * a", "", "c b d a", "L - - L" },
	{ "a b c", "c b *", "", "c b a", "L L -" },
	{ "a b c", "*", "", "a b c", "- - -" },
	{ "a b c", "x b y a z", "", "c b a", "- L L" },
	{ "c_1 a_2 a_1 b_1", "a b", "", "c_1 a_1 a_2 b_1", "- L L L" },
	/* order.6: one waits for the other. */
	{ "a b c", "", "c a", "b c a", "- - c" },
	{ "a_2 a_10 b_1", "", "b a", "b_1 a_2 a_10", "- b b" },
	{ "a b c", "", "x a c x", "b c a", "- - x" },
	{ "a b c", "", "a c", "a b c", "- - -" },
	/* The list with rules. */
	{ "a b z", "a b", "a z", "a z b", "L a L" },
	{ "a b c", "c b", "b a", "c b a", "L L b" },
};

START_TEST(order_is_what_is_wanted) {
	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++) {
		_cleanup_(extensions_done) struct extensions list = { 0 };
		_cleanup_strv_ char **names = split(wanted[i].list),
				    **rules = split(wanted[i].rules);
		struct order orders[CLASS_COUNT] = { 0 };
		char said[256], by[256];
		unsigned seed = 1;
		char *why;

		if (names)
			ck_assert_int_eq(order_take_list(&orders[CLASS_SYSEXT], names,
							 strdup("L")),
					 0);
		add_rules(&orders[CLASS_SYSEXT], rules);
		ck_assert_int_eq(order_check(&orders[CLASS_SYSEXT], &why), 0);
		fill_with(&list, wanted[i].there);
		for (unsigned n = 0; n < 20; n++) {
			shuffle(&list, &seed);
			ck_assert_int_eq(order_sort(&list, orders), 0);
			show(&list, said, by);
			ck_assert_msg(strcmp(said, wanted[i].order) == 0, "%zu: %s", i,
				      said);
			ck_assert_msg(strcmp(by, wanted[i].by) == 0, "%zu: by %s", i, by);
		}
		order_done(&orders[CLASS_SYSEXT]);
	}
}
END_TEST

/* What is wanted of the one class is not asked of the other. */
START_TEST(classes_have_their_own) {
	_cleanup_(extensions_done) struct extensions list = { 0 };
	_cleanup_strv_ char **names = split("c b a");
	struct order orders[CLASS_COUNT] = { 0 };
	char said[256], by[256];

	fill_with(&list, "a b c");
	ck_assert_int_eq(order_take_list(&orders[CLASS_CONFEXT], names, strdup("L")), 0);
	ck_assert_int_eq(order_sort(&list, orders), 0);
	show(&list, said, by);
	ck_assert_str_eq(said, "a b c");
	for (size_t i = 0; i < list.n; i++)
		list.items[i]->class = &classes[CLASS_CONFEXT];
	ck_assert_int_eq(order_sort(&list, orders), 0);
	show(&list, said, by);
	ck_assert_str_eq(said, "c b a");
	order_done(&orders[CLASS_CONFEXT]);
}
END_TEST

/* order.7: also where none of them is there. */
START_TEST(cycles_are_named) {
	_cleanup_strv_ char **list = split("x y * z"), **rules = split("p q z x");
	_cleanup_free_ char *why = NULL;
	struct order o = { 0 };

	ck_assert_int_eq(order_take_list(&o, list, strdup("Order=, F:1")), 0);
	ck_assert_int_eq(order_check(&o, &why), 0);
	add_rules(&o, rules);
	ck_assert_int_eq(order_check(&o, &why), -ELOOP);
	ck_assert_str_eq(why, "x above z (z), z above y (Order=, F:1), "
			      "y above x (Order=, F:1)");
	order_done(&o);
}
END_TEST

/* order.9 */
START_TEST(absent_names_are_told) {
	_cleanup_(extensions_done) struct extensions list = { 0 };
	_cleanup_strv_ char **names = split("x a *"), **rules = split("b yondre x a"),
			    **absent = NULL, **notes = NULL;
	struct order o = { 0 };

	fill_with(&list, "a_1 yonder_2 b_2");
	ck_assert_int_eq(order_take_list(&o, names, strdup("L")), 0);
	add_rules(&o, rules);
	ck_assert_int_eq(order_find_absent(&o, &list, &absent, &notes), 0);
	ck_assert_uint_eq(strv_length(absent), 2);
	ck_assert_str_eq(absent[0], "x");
	ck_assert_str_eq(absent[1], "yondre");
	ck_assert_uint_eq(strv_length(notes), 2);
	ck_assert_str_eq(notes[0], "the order speaks of x, which is not there (L)");
	ck_assert_str_eq(notes[1], "the order speaks of yondre, which is not there "
				   "(b); did you mean 'yonder'?");
	order_done(&o);
}
END_TEST

int main(void) {
	return unit_main("order", (const TTest *const[]){
					  order_is_that_of_the_table,
					  order_is_total,
					  few,
					  order_is_what_is_wanted,
					  classes_have_their_own,
					  cycles_are_named,
					  absent_names_are_told,
					  NULL,
				  });
}

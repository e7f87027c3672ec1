/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Proves that layers have one order, however they were found (specs: order.3, order.4). */
#include "merge/order.h"

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
		order_sort(&list);
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

	order_sort(&list);
	ck_assert_int_eq(extensions_add(&list, extension_new(&classes[0])), 0);
	order_sort(&list);
	ck_assert_uint_eq(list.n, 1);
	extensions_done(&list);
}
END_TEST

int main(void) {
	return unit_main("order", (const TTest *const[]){
					  order_is_that_of_the_table,
					  order_is_total,
					  few,
					  NULL,
				  });
}

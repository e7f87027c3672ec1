/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Proves that rules hold, and that nothing else is moved (specs: order.5 to order.7). */
#include "merge/sequence.h"

#include "unit.h"

#define RULES_MAX 8

/* "ab bc": a below b, b below c. */
static size_t read_rules(const char *text, struct sequence_rule *rules, char (*names)[2]) {
	size_t n = 0;

	for (; *text; text += text[2] ? 3 : 2, n++) {
		names[2 * n][0] = text[0];
		names[2 * n + 1][0] = text[1];
		rules[n] = (struct sequence_rule){ names[2 * n], names[2 * n + 1] };
	}
	return n;
}

/* "abc": items with these names, as they are preferred. The order, or "" for a cycle. */
static void sort(const char *items, const char *text, char *ret, char *ret_moved) {
	char texts[2 * RULES_MAX][2] = { { 0 } }, item_texts[16][2] = { { 0 } };
	struct sequence_rule rules[RULES_MAX];
	size_t n_rules = read_rules(text, rules, texts), n = strlen(items), order[16],
	       why[16];
	const char *names[16];

	for (size_t i = 0; i < n; i++) {
		item_texts[i][0] = items[i];
		names[i] = item_texts[i];
	}
	*ret = *ret_moved = '\0';
	if (sequence_sort(names, n, rules, n_rules, order, why) < 0)
		return;
	for (size_t i = 0; i < n; i++) {
		*ret++ = items[order[i]];
		*ret_moved++ = why[order[i]] == SEQUENCE_NO_RULE
				       ? '-'
				       : (char)('0' + why[order[i]]);
	}
	*ret = *ret_moved = '\0';
}

START_TEST(table_holds) {
	static const struct {
		const char *items, *rules, *order, *moved;
	} table[] = {
		{ "", "", "", "" },
		{ "a", "", "a", "-" },
		{ "abc", "", "abc", "---" },
		/* What holds anyway changes nothing. */
		{ "abc", "ab", "abc", "---" },
		{ "abc", "ac bc", "abc", "---" },
		/* Who has to lie above waits, and nobody else is moved. */
		{ "abc", "ca", "bca", "--0" },
		{ "abcd", "ca", "bcad", "--0-" },
		{ "abcd", "db", "acdb", "---0" },
		{ "abcd", "ba cb dc", "dcba", "-210" },
		{ "abcd", "dc cb ba", "dcba", "-012" },
		/* Of several rules the last one counts. */
		{ "abcd", "ba ca", "bcad", "--1-" },
		/* The same rule twice. */
		{ "ab", "ba ba", "ba", "-0" },
		/* Names that are not there: what is below them is below what is above them. */
		{ "ab", "xa bx", "ba", "-0" },
		{ "ab", "xa bz", "ab", "--" },
		{ "abc", "bx xy ya", "bac", "-2-" },
		{ "", "xy", "", "" },
		/* Several of one name. */
		{ "aabb", "ba", "bbaa", "--00" },
		{ "abab", "ba", "bbaa", "--00" },
		/* Cycles. */
		{ "ab", "ab ba", "", "" },
		{ "a", "aa", "", "" },
		{ "ac", "ab bc ca", "", "" },
		{ "aa", "aa", "", "" },
		/* One that keeps nobody waiting. */
		{ "ab", "xy yx", "ab", "--" },
	};
	char order[32], moved[32];

	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		sort(table[i].items, table[i].rules, order, moved);
		ck_assert_msg(strcmp(order, table[i].order) == 0, "%s by %s: %s",
			      table[i].items, table[i].rules, order);
		ck_assert_msg(strcmp(moved, table[i].moved) == 0, "%s by %s: moved by %s",
			      table[i].items, table[i].rules, moved);
	}
}
END_TEST

START_TEST(cycles_are_found) {
	static const struct {
		const char *rules, *cycle; /* numbers of rules */
	} table[] = {
		{ "", "" },	      { "ab", "" },
		{ "ab bc ac", "" },   { "aa", "0" },
		{ "ab ba", "10" },    { "xa ab bc ca cz", "321" },
		{ "ab cd dc", "21" }, { "ab ba cd dc", "10" },
		{ "ab ba ab", "12" },
	};
	struct sequence_rule rules[RULES_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		char texts[2 * RULES_MAX][2] = { { 0 } }, said[RULES_MAX + 1] = "";
		size_t n_rules = read_rules(table[i].rules, rules, texts),
		       cycle[RULES_MAX], n = 7;

		ck_assert_int_eq(sequence_find_cycle(rules, n_rules, cycle, &n), 0);
		for (size_t k = 0; k < n; k++)
			said[k] = (char)('0' + cycle[k]);
		ck_assert_msg(strcmp(said, table[i].cycle) == 0, "%s: %s", table[i].rules,
			      said);
	}
}
END_TEST

#define ITEMS 6
#define NAMES 8 /* two of them are not there */

/* is[a][b]: a has to be below b, also by way of others. */
static void close_rules(const struct sequence_rule *rules, size_t n, bool (*is)[NAMES]) {
	for (size_t i = 0; i < n; i++)
		is[*rules[i].below - 'a'][*rules[i].above - 'a'] = true;
	for (int via = 0; via < NAMES; via++)
		for (int a = 0; a < NAMES; a++)
			for (int b = 0; b < NAMES; b++)
				is[a][b] |= is[a][via] && is[via][b];
}

static bool is_allowed(const size_t *order, bool (*is)[NAMES]) {
	for (size_t i = 0; i < ITEMS; i++)
		for (size_t j = 0; j <= i; j++)
			if (is[order[i]][order[j]])
				return false;
	return true;
}

/* The next arrangement of 0 to ITEMS - 1, as words of a dictionary. */
static bool advance(size_t *order) {
	size_t i = ITEMS - 1, j = ITEMS - 1, spare;

	while (i > 0 && order[i - 1] > order[i])
		i--;
	if (i == 0)
		return false;
	while (order[j] < order[i - 1])
		j--;
	spare = order[i - 1], order[i - 1] = order[j], order[j] = spare;
	for (j = ITEMS - 1; i < j; i++, j--)
		spare = order[i], order[i] = order[j], order[j] = spare;
	return true;
}

static void shuffle(struct sequence_rule *rules, size_t n, unsigned *seed) {
	for (size_t i = n; i > 1; i--) {
		size_t j = (size_t)rand_r(seed) % i;
		struct sequence_rule spare = rules[i - 1];

		rules[i - 1] = rules[j];
		rules[j] = spare;
	}
}

/* The order is the first one of a dictionary that keeps to all rules; it is the same for rules in another order. */
START_TEST(order_is_the_preferred_one) {
	static const char names[NAMES][2] = { "a", "b", "c", "d", "e", "f", "g", "h" };
	const char *items[ITEMS] = { "a", "b", "c", "d", "e", "f" };
	unsigned seed = 5, n_orders = 0, n_cycles = 0;

	for (unsigned round = 0; round < 3000; round++) {
		size_t n = (size_t)rand_r(&seed) % RULES_MAX, order[ITEMS], again[ITEMS],
		       why[ITEMS], cycle[RULES_MAX], n_cycle;
		size_t best[ITEMS] = { 0, 1, 2, 3, 4, 5 };
		struct sequence_rule rules[RULES_MAX];
		bool is[NAMES][NAMES] = { { false } }, has_cycle = false, more = true;
		int r;

		for (size_t i = 0; i < n; i++)
			rules[i] = (struct sequence_rule){ names[rand_r(&seed) % NAMES],
							   names[rand_r(&seed) % NAMES] };
		close_rules(rules, n, is);
		for (int i = 0; i < NAMES; i++)
			has_cycle |= is[i][i];
		ck_assert_int_eq(sequence_find_cycle(rules, n, cycle, &n_cycle), 0);
		ck_assert_uint_eq(n_cycle > 0, has_cycle);
		for (size_t i = 0; i < n_cycle; i++)
			ck_assert_str_eq(rules[cycle[i]].below,
					 rules[cycle[(i + 1) % n_cycle]].above);
		while (more && !is_allowed(best, is))
			more = advance(best);
		r = sequence_sort(items, ITEMS, rules, n, order, why);
		if (has_cycle) {
			n_cycles++;
			continue;
		}
		ck_assert(more);
		ck_assert_int_eq(r, 0);
		ck_assert_mem_eq(order, best, sizeof(order));
		shuffle(rules, n, &seed);
		ck_assert_int_eq(sequence_sort(items, ITEMS, rules, n, again, why), 0);
		ck_assert_mem_eq(order, again, sizeof(order));
		n_orders++;
	}
	ck_assert_uint_gt(n_orders, 500);
	ck_assert_uint_gt(n_cycles, 500);
}
END_TEST

int main(void) {
	const TTest *const tests[] = { table_holds, cycles_are_found,
				       order_is_the_preferred_one, NULL };

	return unit_main("sequence", tests);
}

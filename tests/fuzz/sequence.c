/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whether any rules end in an order that keeps to them, or in a cycle that is one (order.5 to order.7). */
#include "merge/sequence.h"

#include <assert.h>
#include <string.h>

#define ITEMS_MAX 64
#define RULES_MAX 256

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_cycle(const struct sequence_rule *rules, const size_t *cycle, size_t n) {
	for (size_t i = 0; i < n; i++)
		assert(strcmp(rules[cycle[i]].below, rules[cycle[(i + 1) % n]].above) ==
		       0);
}

static void check_order(const char *const *names, size_t n,
			const struct sequence_rule *rules, size_t n_rules,
			const size_t *order) {
	bool seen[ITEMS_MAX] = { false };

	for (size_t i = 0; i < n; i++) {
		assert(order[i] < n && !seen[order[i]]);
		seen[order[i]] = true;
	}
	for (size_t k = 0; k < n_rules; k++)
		for (size_t i = 0; i < n; i++)
			for (size_t j = 0; j <= i; j++)
				assert(strcmp(names[order[i]], rules[k].below) != 0 ||
				       strcmp(names[order[j]], rules[k].above) != 0);
}

/* The first byte says how many items there are; then each byte is a name, of an item, or of both ends of a rule. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	static char texts[256][2];
	const char *names[ITEMS_MAX];
	struct sequence_rule rules[RULES_MAX];
	size_t order[ITEMS_MAX], why[ITEMS_MAX], cycle[RULES_MAX];
	size_t n = 0, n_rules = 0, n_cycle, at = 1;
	int r;

	for (size_t i = 0; i < 256; i++)
		texts[i][0] = (char)i;
	for (; size > 0 && n < data[0] % ITEMS_MAX && at < size; at++)
		names[n++] = texts[data[at]];
	for (; n_rules < RULES_MAX && at + 1 < size; at += 2)
		rules[n_rules++] = (struct sequence_rule){ texts[data[at]],
							   texts[data[at + 1]] };
	assert(sequence_find_cycle(rules, n_rules, cycle, &n_cycle) == 0);
	check_cycle(rules, cycle, n_cycle);
	r = sequence_sort(names, n, rules, n_rules, order, why);
	assert(r == 0 || n_cycle > 0);
	if (n_cycle == 0)
		check_order(names, n, rules, n_rules, order);
	return 0;
}

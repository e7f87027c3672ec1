/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An order of names that keeps to rules of the form "this one below that one". Pure (specs: order.5 to order.7). */
#pragma once

#include "base.h"

/* Borrowed texts. */
struct sequence_rule {
	const char *below, *above;
};

#define SEQUENCE_NO_RULE SIZE_MAX

/*
 * Orders `n` items, which come as they are preferred, so that all rules hold: of the items for which nothing has to
 * come first any more, the one that is preferred is next. names[i] is item i's; several may have one name,
 * and a rule holds for each of them. A name that no item has counts all the same: what is below it is
 * below what is above it. ret_order[k] is the item in place k; ret_rules[i] is the rule for which item i had to
 * wait while one less preferred was taken, or SEQUENCE_NO_RULE. Both have room for `n`. The
 * order of the rules changes nothing. 0; -ELOOP where a cycle of rules keeps an item from its place; -ENOMEM.
 */
int sequence_sort(const char *const *names, size_t n, const struct sequence_rule *rules,
		  size_t n_rules, size_t *ret_order, size_t *ret_rules);

/*
 * Looks for a cycle. ret[] has room for `n_rules` and gets the rules of one, *ret_n of them, each of which
 * has below what the next one has above; *ret_n is 0 where there is none. 0 or -ENOMEM.
 */
int sequence_find_cycle(const struct sequence_rule *rules, size_t n_rules, size_t *ret,
			size_t *ret_n);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The order of the layers: UAPI.4 Ordering by UAPI.10 versions, with a total tie break, and what somebody wants to be
 * otherwise. Pure (specs: order.*).
 */
#pragma once

#include "extension.h"
#include "sequence.h"

/* What somebody wants of the order in one class. All zero wants nothing. */
struct order {
	char *const *list; /* names, lowest first, and "*" for all others; borrowed, or NULL */
	char *list_origin;	     /* who says so: "Order=, /etc/extmerge.conf:3" */
	struct sequence_rule *rules; /* their names are borrowed */
	char **origins;		     /* of the rules */
	size_t n;
};

/* In the list of names and in no extension's: all that are not named. */
#define ORDER_OTHERS "*"

/* The list, each name once. Takes over `origin`, also on failure, which is -ENOMEM, as it is where that is NULL. */
int order_take_list(struct order *o, char *const *names, char *origin);

/* One name below another. As above. */
int order_add_rule(struct order *o, const char *below, const char *above, char *origin);

/*
 * Whether all of it can hold, for whatever extensions there are (order.7). 0; -ELOOP with *ret_why, an owned text that
 * names the cycle: "a above b (ORIGIN), b above a (ORIGIN)"; or -ENOMEM.
 */
int order_check(const struct order *o, char **ret_why);

/*
 * Adds to *names, once, those that `o` has and no extension in the list, and to *notes a sentence for each: who speaks of
 * it, and which name is meant, where one is near. 0 or -ENOMEM.
 */
int order_find_absent(const struct order *o, const struct extensions *list, char ***names,
		      char ***notes);

void order_done(struct order *o);

/*
 * Compares two extensions by version, the older (lower) one first: class, then the full image
 * name by version_compare(), then its bytes, then the path's bytes. 0 only for the same path.
 */
int order_compare(const struct extension *a, const struct extension *b);

/*
 * Sorts lowest first, by version and by what is wanted: `orders` has one for each class, or is NULL. Extensions get to
 * know who placed them. 0, -ENOMEM, or -ELOOP for what order_check() refuses.
 */
int order_sort(struct extensions *list, const struct order *orders);

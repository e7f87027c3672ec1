/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a refresh would do: the difference between what is merged and what should be. Pure. */
#pragma once

#include "record.h"

enum plan_action {
	PLAN_NOTHING, /* neither merged nor wanted */
	PLAN_KEEP,
	PLAN_MERGE,
	PLAN_REPLACE,
	PLAN_UNMERGE,
};

/*
 * One hierarchy. Records are borrowed; NULL for "nothing merged" and "nothing wanted". Its name is
 * NULL where both are.
 */
struct plan_step {
	const char *hierarchy;
	enum plan_action action;
	const struct record *old, *wanted;
};

enum plan_change_kind {
	PLAN_ADDED,
	PLAN_CHANGED,
	PLAN_REMOVED,
	PLAN_REORDERED, /* only the order of its class has changed */
	PLAN_MENDED, /* a server of it had died, and nothing else is known to have changed (switch.15) */
	PLAN_SAME,
};

/* One extension, over all hierarchies of its class. */
struct plan_change {
	enum plan_change_kind kind;
	const struct class *class;
	const struct record_layer *old, *wanted; /* NULL where there is none */
	bool was_lost; /* it is wanted where a dead server has taken along what was merged */
};

struct plan {
	struct plan_step *steps;
	size_t n_steps;
	struct plan_change *changes; /* by class, then in the order of the stack, top first */
	size_t n_changes;
};

/* Compares `n` hierarchies; each of the two arrays has `n` records or NULLs. 0 or -ENOMEM. */
int plan_compute(const struct record *const *old, const struct record *const *wanted,
		 size_t n, struct plan *ret);

/* Whether running it would change anything. */
bool plan_has_work(const struct plan *p);

/* cli.reason: why the hierarchy is made anew, where its extensions do not say it: "its server had died"; otherwise NULL. */
const char *plan_reason(const struct plan_step *s);

/* How many changes are of the kind. */
size_t plan_count(const struct plan *p, enum plan_change_kind kind);

/* "merge", "replace", ... */
const char *plan_action_word(enum plan_action a);

/* "+", "~", "-" and so on; never the only mark (STYLE: words carry the meaning). */
const char *plan_change_sign(enum plan_change_kind k);
const char *plan_change_word(enum plan_change_kind k);

void plan_done(struct plan *p);

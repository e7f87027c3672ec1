/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which of the extensions that have one name it is. */
#include "candidates.h"

#include <string.h>

#include "strv.h"

int candidates_add(struct candidates *c, struct candidate item) {
	struct candidate *grown = reallocarray(c->items, c->n + 1, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	c->items = grown;
	c->items[c->n++] = item;
	return 0;
}

/* Whether `a` is the better version of one name (discover.pick, discover.tie). */
static bool is_better(const struct contest *contest, const struct extension *a,
		      const struct extension *b) {
	static const int rank[] = {
		[EXTENSION_RAW] = 3,	   [EXTENSION_BLOCK] = 2,
		[EXTENSION_SUBVOLUME] = 1, [EXTENSION_DIRECTORY] = 1,
		[EXTENSION_OTHER] = 0,
	};
	int r = name_compare_pick(&a->name, &b->name, contest->native, contest->secondary);

	if (r == 0)
		r = rank[a->kind] - rank[b->kind];
	if (r == 0)
		r = strcmp(a->path, b->path);
	return r > 0;
}

/* Who has the name already: a mask, or an extension that is not out for another reason. */
static const struct candidate *find_taken(const struct candidates *c, const char *name) {
	for (size_t i = 0; i < c->n; i++)
		if (strcmp(c->items[i].extension->name.name, name) == 0)
			return &c->items[i];
	return NULL;
}

/* discover.fallback: a version that cannot be merged does not keep another from it. */
static bool competes(const struct contest *contest, const struct candidate *c) {
	return c->is_mask || (extension_fits(c->extension) &&
			      !strv_contains(contest->losers, c->extension->path));
}

/* The best of this name in this directory, masks first. */
static const struct candidate *find_winner(const struct candidates *here,
					   const struct contest *contest,
					   const char *name) {
	const struct candidate *best = NULL;

	for (size_t i = 0; i < here->n; i++) {
		const struct candidate *c = &here->items[i];

		if (strcmp(c->extension->name.name, name) != 0 || !competes(contest, c))
			continue;
		if (!best || (c->is_mask && !best->is_mask) ||
		    (c->is_mask == best->is_mask &&
		     is_better(contest, c->extension, best->extension)))
			best = c;
	}
	return best;
}

static int judge(const struct candidates *here, const struct candidates *taken,
		 const struct contest *contest, const struct candidate *c) {
	const struct candidate *other = find_taken(taken, c->extension->name.name);

	if (!other) {
		other = find_winner(here, contest, c->extension->name.name);
		if (!other || other == c)
			return 0;
		if (!other->is_mask && !competes(contest, c))
			return 0; /* it is out for a reason of its own */
		other->extension->has_rival = true;
	}
	return verdict_set(&c->extension->verdict,
			   other->is_mask ? VERDICT_MASKED : VERDICT_SHADOWED, "by %s",
			   other->extension->path);
}

/* Where it belongs: `r` is what went wrong before. */
static int hand_over(struct candidate c, struct candidates *taken,
		     struct extensions *list, int r) {
	bool takes = c.is_mask || c.extension->verdict.code != VERDICT_OTHER_ARCHITECTURE;

	if (r == 0 && !c.is_mask)
		r = extensions_add(list,
				   c.extension); /* in any case its own from now on */
	else if (!c.is_mask)
		extension_free(c.extension);
	if (r == 0 && takes)
		r = candidates_add(taken, c);
	if (r < 0 && c.is_mask)
		extension_free(c.extension);
	return r;
}

int candidates_settle(struct candidates *here, struct candidates *taken,
		      const struct contest *contest, struct extensions *list) {
	int r = 0;

	for (size_t i = 0; r == 0 && i < here->n; i++)
		if (!here->items[i].is_mask)
			r = judge(here, taken, contest, &here->items[i]);
	for (size_t i = 0; i < here->n; i++) {
		int e = hand_over(here->items[i], taken, list, r);

		r = r < 0 ? r : e;
	}
	here->n = 0;
	return r;
}

void candidates_done(struct candidates *here, struct candidates *taken) {
	for (size_t i = 0; i < here->n; i++) /* only after an error */
		extension_free(here->items[i].extension);
	for (size_t i = 0; i < taken->n; i++)
		if (taken->items[i].is_mask)
			extension_free(taken->items[i].extension);
	free(here->items);
	free(taken->items);
	*here = *taken = (struct candidates){ 0 };
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a refresh would do. */
#include "plan.h"

#include <string.h>

const char *plan_action_word(enum plan_action a) {
	static const char *const words[] = {
		[PLAN_NOTHING] = "nothing", [PLAN_KEEP] = "keep",
		[PLAN_MERGE] = "merge",	    [PLAN_REPLACE] = "replace",
		[PLAN_UNMERGE] = "unmerge",
	};

	return words[a];
}

const char *plan_change_sign(enum plan_change_kind k) {
	static const char *const signs[] = {
		[PLAN_ADDED] = "+",	[PLAN_CHANGED] = "~", [PLAN_REMOVED] = "-",
		[PLAN_REORDERED] = "^", [PLAN_MENDED] = "*",  [PLAN_SAME] = "=",
	};

	return signs[k];
}

const char *plan_change_word(enum plan_change_kind k) {
	static const char *const words[] = {
		[PLAN_ADDED] = "add",	   [PLAN_CHANGED] = "change",
		[PLAN_REMOVED] = "remove", [PLAN_REORDERED] = "reorder",
		[PLAN_MENDED] = "mend",	   [PLAN_SAME] = "keep",
	};

	return words[k];
}

/* A back end that is not known yet is no reason. */
static bool has_same_backend(const struct record *old, const struct record *wanted) {
	return !old->backend || !wanted->backend ||
	       strcmp(old->backend, wanted->backend) == 0;
}

/* What the kernel's overlayfs shows has none. */
static bool has_same_grafts(const struct record *old, const struct record *wanted) {
	return !old->server || old->grafts_most == wanted->grafts_most;
}

static enum plan_action choose_action(const struct record *old,
				      const struct record *wanted) {
	if (!old)
		return wanted ? PLAN_MERGE : PLAN_NOTHING;
	if (!wanted)
		return PLAN_UNMERGE;
	return !old->is_dead && record_has_same_layers(old, wanted) &&
			       record_has_same_form(old, wanted) &&
			       has_same_backend(old, wanted) &&
			       has_same_grafts(old, wanted)
		       ? PLAN_KEEP
		       : PLAN_REPLACE;
}

/* The change that already stands for this extension, or a new one; NULL where memory ran out. */
static struct plan_change *find_change(struct plan *p, const struct class *class,
				       const char *name) {
	struct plan_change *grown;

	for (size_t i = 0; i < p->n_changes; i++) {
		struct plan_change *c = &p->changes[i];
		const struct record_layer *l = c->wanted ?: c->old;

		if (c->class == class && strcmp(l->name, name) == 0)
			return c;
	}
	grown = reallocarray(p->changes, p->n_changes + 1, sizeof(*grown));
	if (!grown)
		return NULL;
	p->changes = grown;
	grown[p->n_changes] = (struct plan_change){ .class = class };
	return &grown[p->n_changes++];
}

/* record.4: of a dead server's tree that is all there is, unless its record is mounted in it. */
static bool is_lost(const struct plan_step *s) {
	return s->old && s->old->is_dead && s->old->n_layers == 0;
}

/* Enters the layers of all records of the class. */
static int collect(struct plan *p, const struct class *class,
		   const struct record *const *records, bool wanted) {
	for (size_t i = 0; i < p->n_steps; i++) {
		const struct record *r = records[i];

		for (size_t l = 0; r && r->class == class && l < r->n_layers; l++) {
			struct plan_change *c = find_change(p, class, r->layers[l].name);

			if (!c)
				return -ENOMEM;
			*(wanted ? &c->wanted : &c->old) = &r->layers[l];
			c->was_lost |= wanted && is_lost(&p->steps[i]);
		}
	}
	return 0;
}

static enum plan_change_kind judge(const struct plan_change *c) {
	struct record_layer alive;

	if (!c->old)
		return c->was_lost ? PLAN_MENDED : PLAN_ADDED;
	if (!c->wanted)
		return PLAN_REMOVED;
	alive = *c->old;
	alive.is_dead = false;
	if (!record_is_same_layer(&alive, c->wanted))
		return PLAN_CHANGED;
	return c->was_lost || c->old->is_dead ? PLAN_MENDED : PLAN_SAME;
}

/* The same extensions, yet layers to replace: only their order can have changed. */
static void mark_reordered(struct plan *p, const struct class *class) {
	bool replaces = false, same = true;

	for (size_t i = 0; i < p->n_steps; i++)
		replaces |= p->steps[i].action == PLAN_REPLACE &&
			    p->steps[i].old->class == class &&
			    !record_has_same_layers(p->steps[i].old, p->steps[i].wanted);
	for (size_t i = 0; i < p->n_changes; i++)
		same &= p->changes[i].class != class || p->changes[i].kind == PLAN_SAME;
	for (size_t i = 0; replaces && same && i < p->n_changes; i++)
		if (p->changes[i].class == class)
			p->changes[i].kind = PLAN_REORDERED;
}

/*
 * The names are a growing list that is searched from its start: at most 500 extensions for each class
 * (specs: discover.limit), so a quarter of a million short comparisons at the worst.
 */
int plan_compute(const struct record *const *old, const struct record *const *wanted,
		 size_t n, struct plan *ret) {
	struct plan p = { .steps = calloc(n + 1, sizeof(*p.steps)), .n_steps = n };
	int r = p.steps ? 0 : -ENOMEM;

	for (size_t i = 0; r == 0 && i < n; i++) {
		p.steps[i] = (struct plan_step){
			.hierarchy = wanted[i] ? wanted[i]->hierarchy
				     : old[i]  ? old[i]->hierarchy
					       : NULL,
			.action = choose_action(old[i], wanted[i]),
			.old = old[i],
			.wanted = wanted[i],
		};
	}
	for (size_t c = 0; r == 0 && c < CLASS_COUNT; c++) {
		r = collect(&p, &classes[c], wanted, true);
		if (r == 0)
			r = collect(&p, &classes[c], old, false);
	}
	if (r < 0) {
		plan_done(&p);
		return r;
	}
	for (size_t i = 0; i < p.n_changes; i++)
		p.changes[i].kind = judge(&p.changes[i]);
	for (size_t c = 0; c < CLASS_COUNT; c++)
		mark_reordered(&p, &classes[c]);
	*ret = p;
	return 0;
}

bool plan_has_work(const struct plan *p) {
	for (size_t i = 0; i < p->n_steps; i++)
		if (p->steps[i].action != PLAN_NOTHING && p->steps[i].action != PLAN_KEEP)
			return true;
	return false;
}

static const char *find_death(const struct record *old) {
	if (old->is_dead)
		return "its server had died";
	for (size_t i = 0; i < old->n_layers; i++)
		if (old->layers[i].is_dead)
			return "the server of an image had died";
	return NULL;
}

/* What makes two trees of the same layers differ, the most visible first. */
static const char *compare_forms(const struct record *old, const struct record *wanted) {
	struct record alike = *old; /* its texts are borrowed */

	if (old->is_writable != wanted->is_writable)
		return wanted->is_writable ? "it shall be written"
					   : "it shall not be written any more";
	if (!has_same_backend(old, wanted))
		return "another back end shall show it";
	if (!has_same_grafts(old, wanted))
		return "it shall have other grafts";
	if (old->is_noexec != wanted->is_noexec)
		return wanted->is_noexec ? "nothing in it shall be executed"
					 : "what is in it may be executed now";
	alike.mutable_given = wanted->mutable_given;
	alike.base_given = wanted->base_given;
	if (record_has_same_form(old, wanted))
		return NULL;
	return record_has_same_form(&alike, wanted)
		       ? "what the command line says of it is kept with it"
		       : "it shall have another form";
}

const char *plan_reason(const struct plan_step *s) {
	const char *death;

	if (s->action != PLAN_REPLACE || !s->old) /* adopt replaces what has no record */
		return NULL;
	death = find_death(s->old);
	if (death || !record_has_same_layers(s->old, s->wanted))
		return death;
	return compare_forms(s->old, s->wanted);
}

size_t plan_count(const struct plan *p, enum plan_change_kind kind) {
	size_t n = 0;

	for (size_t i = 0; i < p->n_changes; i++)
		n += p->changes[i].kind == kind;
	return n;
}

void plan_done(struct plan *p) {
	free(p->steps);
	free(p->changes);
	*p = (struct plan){ 0 };
}

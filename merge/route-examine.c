/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The middle of the route: all extensions examined, until it is settled which, and the plan. */
#include "route-parts.h"

#include <string.h>

#include "draft.h"
#include "inputs.h"
#include "log.h"
#include "proxymount.h"
#include "strv.h"
#include "text.h"
#include "uppers.h"

/* Those that extensions of the class may have layers for; how many there are. */
static size_t collect_hierarchies(struct route *r, const struct class *class,
				  struct hierarchy *ret[static STATE_HIERARCHIES_MAX]) {
	size_t n = 0;

	for (size_t i = 0; i < r->n_hierarchies; i++)
		if (r->hierarchies[i].class == class && !r->state.hierarchies[i].is_left)
			ret[n++] = &r->hierarchies[i];
	return n;
}

static enum exit_code examine_all(struct route *r) {
	const struct examine_options o = {
		.source = {
			.assess = { &r->host, r->base, &r->trust },
			.guard = &r->guard,
			.workshop = r->is_privileged ? &r->workshop : NULL,
		},
		.force_all = r->options->force_all,
		.force = r->options->force,
	};

	for (size_t i = 0; i < r->extensions.n; i++) {
		struct hierarchy *hierarchies[STATE_HIERARCHIES_MAX];
		struct extension *x = r->extensions.items[i];
		int e;

		if (r->is_settled[x->class->id])
			continue;
		e = examine(x, &o, hierarchies,
			    collect_hierarchies(r, x->class, hierarchies));
		if (e < 0) {
			log_error("Cannot examine '%s': %s", x->path, strerror(-e));
			return route_code(e);
		}
	}
	return EXIT_DONE;
}

/* switch.18: without privilege the host's own directory may lie below what is merged. */
static int open_hierarchy(struct route *r, size_t i) {
	struct hierarchy *to = &r->hierarchies[i];
	const struct state_hierarchy *h = &r->state.hierarchies[i];
	int e = hierarchy_open(to, h->class, h->name, r->base), base;

	if (e == 0 && proxymount_open_base(r, i, &base) == 1) {
		close_fdp(&to->base);
		to->base = base;
	}
	return e;
}

static enum exit_code open_hierarchies(struct route *r) {
	for (size_t i = 0; i < r->state.n; i++) {
		const struct state_hierarchy *h = &r->state.hierarchies[i];
		int e = open_hierarchy(r, i);

		if (e < 0) {
			log_error("Cannot open the host's own /%s: %s", h->name,
				  strerror(-e));
			return route_code(e);
		}
		r->n_hierarchies++;
		if (r->uppers[i].is_writable || r->uppers[i].is_imported)
			r->hierarchies[i].upper = &r->uppers[i];
		r->hierarchies[i].is_made = state_is_made(r->hierarchies[i].base);
		r->hierarchies[i].place = route_settings(r, i)->base;
		r->hierarchies[i].is_noexec = noexec_holds(route_settings(r, i)->noexec,
							   h->class, r->host.runs_scripts);
		for (size_t n = 0; e == 0 && n < r->submounts[i].n; n++)
			e = strv_append(&r->hierarchies[i].mounts,
					r->submounts[i].items[n].path);
		if (e < 0)
			return route_fail(e, "plan");
	}
	return EXIT_DONE;
}

static int compute_plan(struct route *r) {
	const struct record *old[STATE_HIERARCHIES_MAX] = { NULL };
	int e;

	for (size_t i = 0; i < r->state.n; i++)
		if (route_has_class(r, r->state.hierarchies[i].class) &&
		    !r->is_settled[r->state.hierarchies[i].class->id])
			old[i] = r->state.hierarchies[i].record;
	e = plan_compute(old, (const struct record *const *)r->wanted, r->state.n,
			 &r->plan);
	for (size_t i = 0; e == 0 && i < r->plan.n_steps; i++)
		if ((r->renews[i] || r->is_cleared[i]) &&
		    r->plan.steps[i].action == PLAN_KEEP)
			r->plan.steps[i].action = PLAN_REPLACE;
	return e;
}

/* What is merged with this very content was judged when it was merged: attributes need no second look. */
static void note_known(struct route *r) {
	for (size_t i = 0; i < r->extensions.n; i++) {
		struct extension *x = r->extensions.items[i];

		for (size_t n = 0; x->fingerprint && n < r->state.n; n++) {
			const struct record *record = r->state.hierarchies[n].record;
			const struct record_layer *l =
				record ? record_find_layer(record, x->name.name) : NULL;

			if (l && l->fingerprint && record->class == x->class &&
			    strcmp(l->fingerprint, x->fingerprint) == 0)
				x->is_known = true;
		}
	}
}

static int digest_missing_inputs(struct route *r) {
	int e = 0;

	for (size_t c = 0; e == 0 && c < CLASS_COUNT; c++)
		if (r->options->classes[c] && !*r->inputs[c])
			e = inputs_digest(r, &classes[c]);
	return e;
}

/* discover.fallback: the versions that do not fit, and have a rival that may. How many are new, or -ENOMEM. */
static int note_losers(struct route *r) {
	int n = 0;

	for (size_t i = 0; i < r->extensions.n; i++) {
		const struct extension *x = r->extensions.items[i];

		if (extension_fits(x) || !x->has_rival ||
		    strv_contains(r->losers, x->path))
			continue;
		if (strv_append(&r->losers, x->path) < 0)
			return -ENOMEM;
		n++;
	}
	return n;
}

static enum exit_code examine_again(struct route *r) {
	int e;

	route_close_hierarchies(r);
	extensions_done(&r->extensions);
	discovery_done(&r->found);
	e = route_find_all(r);
	return e < 0 ? route_fail(e, "discover the extensions") : EXIT_DONE;
}

/* Each round has one loser more than the one before, so there is an end. */
static enum exit_code examine_until_settled(struct route *r) {
	for (;;) {
		enum exit_code code = open_hierarchies(r);
		int losers;

		note_known(r);
		if (code == EXIT_DONE)
			code = examine_all(r);
		if (code != EXIT_DONE)
			return code;
		losers = digest_missing_inputs(r);
		if (losers == 0)
			losers = note_losers(r);
		if (losers <= 0)
			return losers < 0 ? route_fail(losers, "examine") : EXIT_DONE;
		code = examine_again(r);
		if (code != EXIT_DONE)
			return code;
	}
}

/* Whether hierarchy `i` is to be merged, and nothing has been said yet of who makes its tree. */
static bool lacks_backend(const struct route *r, size_t i) {
	return r->is_privileged && r->wanted[i] && !r->wanted[i]->backend;
}

static int choose_backend(struct route *r, size_t i) {
	return stack_choose(&r->hierarchies[i], &r->workshop, route_backend(r, i),
			    r->wanted[i]);
}

/*
 * switch.14: a tree of another back end than the one that is wanted is replaced. Overlayfs that shows the tree today
 * will do so, and is not tried beforehand.
 */
static int choose_backends(struct route *r) {
	int e = 0;

	for (size_t i = 0; e == 0 && i < r->n_hierarchies; i++) {
		const struct record *old = r->state.hierarchies[i].record;
		bool was_fuse = old && old->backend &&
				strcmp(old->backend, backend_text(BACKEND_FUSE)) == 0;

		if (lacks_backend(r, i) && (was_fuse || route_backend(r, i)))
			e = choose_backend(r, i);
	}
	return e;
}

enum exit_code route_tell_backends(struct route *r) {
	int e = 0;

	for (size_t i = 0; e == 0 && i < r->plan.n_steps; i++)
		if (lacks_backend(r, i) && r->plan.steps[i].action != PLAN_KEEP)
			e = choose_backend(r, i);
	return e < 0 ? route_fail(e, "see what overlayfs can do") : EXIT_DONE;
}

/* record.2: a run that is killed after the first switch has not kept the others, but not come to them. */
static int note_kept(struct route *r) {
	for (size_t i = 0; i < r->plan.n_steps; i++) {
		struct record *to = r->wanted[i];

		for (size_t n = 0; to && n < r->plan.n_steps; n++) {
			char *longer;

			if (r->plan.steps[n].action != PLAN_KEEP || !r->wanted[n] ||
			    r->wanted[n]->class != to->class)
				continue;
			longer = text_format("%s%s%s", to->kept ?: "",
					     to->kept ? " " : "", r->wanted[n]->hierarchy);
			if (!longer)
				return -ENOMEM;
			free(to->kept);
			to->kept = longer;
		}
	}
	return 0;
}

enum exit_code route_examine(struct route *r) {
	enum exit_code code = examine_until_settled(r);
	int e = 0;

	if (code != EXIT_DONE)
		return code;
	for (char **problem = r->trust.problems; problem && *problem; problem++)
		log_warning("%s", *problem);
	code = uppers_check(r);
	if (code != EXIT_DONE)
		return code;
	for (size_t i = 0; e == 0 && i < r->n_hierarchies; i++)
		if (hierarchy_is_wanted(&r->hierarchies[i]) &&
		    !r->is_settled[r->hierarchies[i].class->id])
			e = draft_record(r, i, &r->wanted[i]);
	if (e == 0)
		e = choose_backends(r);
	if (e == 0)
		e = compute_plan(r);
	if (e == 0)
		e = note_kept(r);
	return e < 0 ? route_fail(e, "plan") : EXIT_DONE;
}

enum exit_code route_plan_removal(struct route *r) {
	int e = compute_plan(r);

	return e < 0 ? route_fail(e, "plan") : EXIT_DONE;
}

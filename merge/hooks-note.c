/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which hooks a change asks for, and which are due from a run that was killed. */
#include "hooks-parts.h"

#include <string.h>
#include <sys/stat.h>

#include "config.h"
#include "due.h"
#include "log.h"
#include "route.h"
#include "strv.h"
#include "unitlist.h"

bool hooks_are_for(const struct route *r) {
	struct stat ours, theirs;

	return !r->options->service && fstat(r->root, &ours) == 0 &&
	       stat("/", &theirs) == 0 && ours.st_dev == theirs.st_dev &&
	       ours.st_ino == theirs.st_ino;
}

/* What is told of an extension that came, went or changed, from the record of one hierarchy. */
static int call_record(const struct record_layer *l, struct hook_calls *c, char ***bad) {
	int r;

	c->triggers |= trigger_from_words(l->triggers);
	r = unitlist_add(l->restart, &c->restart, bad);
	return r < 0 ? r : unitlist_add(l->reload, &c->reload, bad);
}

/* The names of files that came with the layer of the extension. */
static int call_files(const struct hierarchy *h, const char *extension,
		      struct hook_calls *c) {
	int r = 0;

	for (size_t i = 0; i < h->n_layers; i++) {
		const struct layer *l = &h->layers[i];

		if (strcmp(l->extension->name.name, extension) != 0)
			continue;
		for (size_t t = 0; r == 0 && t < TRIGGER_COUNT; t++)
			r = trigger_names(l->fd, h->name, (enum trigger)t, &c->names[t]);
	}
	return r;
}

static int call_change(const struct route *r, const struct plan_change *change,
		       struct hook_calls *c, char ***bad) {
	const char *name = change->wanted ? change->wanted->name : change->old->name;
	int e = 0;

	for (size_t i = 0; e == 0 && i < r->plan.n_steps; i++) {
		const struct plan_step *s = &r->plan.steps[i];
		const struct record *records[] = { s->old, s->wanted };

		for (size_t n = 0; e == 0 && n < ARRAY_SIZE(records); n++) {
			const struct record_layer *l =
				records[n] && records[n]->class == change->class ? record_find_layer(
											   records[n],
											   name)
										 : NULL;

			if (l)
				e = call_record(l, c, bad);
			if (e == 0 && l && n == 1 && i < r->n_hierarchies)
				e = call_files(&r->hierarchies[i], name, c);
		}
	}
	return e;
}

/* The settings of the classes. */
void hooks_read_settings(struct route *r, bool ret_wanted[static CLASS_COUNT]) {
	const char *given = r->options->given[SETTINGS_HOOKS];

	if (r->config.n_hierarchies == 0 && r->base >= 0 &&
	    config_read(r->base, &r->config) < 0)
		log_warning(
			"Cannot read the configuration: hooks run as if there was none");
	for (size_t c = 0; c < CLASS_COUNT; c++)
		ret_wanted[c] = given ? strcmp(given, "yes") == 0
				      : !r->config.of[c].no_hooks;
}

static int collect(struct route *r, struct hook_calls *c) {
	_cleanup_strv_ char **bad = NULL;
	bool is_wanted[CLASS_COUNT];
	int e = 0;

	hooks_read_settings(r, is_wanted);
	for (size_t i = 0; e == 0 && i < r->plan.n_changes; i++) {
		const struct plan_change *change = &r->plan.changes[i];

		if (change->kind == PLAN_SAME || !is_wanted[change->class->id])
			continue;
		c->has_come = c->has_come || change->wanted;
		e = call_change(r, change, c, &bad);
	}
	for (char **unit = bad; unit && *unit; unit++)
		log_warning("Cannot restart or reload '%s': that is no name of a unit",
			    *unit);
	return e;
}

static bool is_any(const struct hook_calls *c) {
	return c->triggers || c->restart || c->reload;
}

/* With --no-hooks what is left stays so; early at boot not all of it could be done (hook.7). */
static bool takes_what_is_left(const struct route *r) {
	const char *given = r->options->given[SETTINGS_HOOKS];

	return r->options->boot != BOOT_EARLY && (!given || strcmp(given, "yes") == 0);
}

void hooks_note(struct route *r) {
	struct hook_calls *c = &r->hooks.calls;
	int e;

	if (!hooks_are_for(r))
		return;
	e = plan_has_work(&r->plan) ? collect(r, c) : 0;
	if (e == 0 && takes_what_is_left(r)) {
		e = due_find(c);
		r->hooks.is_left = e > 0;
		e = e > 0 ? due_find(&r->hooks.left) : e;
	}
	if (e < 0)
		log_warning("Cannot find out which hooks are to run: %s", strerror(-e));
	if (is_any(c))
		due_note(c);
	if (r->hooks.is_left)
		due_forget_found();
}

void hooks_drop(struct route *r) {
	if (r->hooks.is_left)
		due_note(&r->hooks.left);
	else
		due_forget();
}

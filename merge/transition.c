/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From the plan to what is seen. */
#include "transition.h"

#include <fcntl.h>
#include <string.h>

#include "apply.h"
#include "file.h"
#include "log.h"
#include "proxymount.h"
#include "text.h"
#include "uppers.h"

char *transition_obstacle(const struct route *r, size_t i) {
	const struct state_hierarchy *h = &r->state.hierarchies[i];

	if (!route_has_class(r, h->class))
		return NULL;
	if (h->kind == STATE_COVERED)
		return text_format("%s is mounted on top of extmerge's tree", h->other);
	if (h->record && h->record->service &&
	    (!r->options->service || strcmp(h->record->service, r->options->service) != 0))
		return text_format(
			"it is the tree of the service %s, whose namespace this is",
			h->record->service);
	if (h->kind == STATE_PEER && r->wanted[i] && !r->adopts)
		return text_format("systemd-%s has merged it", h->class->name);
	return NULL;
}

static enum exit_code refuse_foreign(const struct route *r) {
	for (size_t i = 0; i < r->state.n; i++) {
		const struct state_hierarchy *h = &r->state.hierarchies[i];
		_cleanup_free_ char *obstacle = transition_obstacle(r, i);

		if (!obstacle)
			continue;
		log_error("Cannot switch /%s: %s", h->name, obstacle);
		if (h->kind == STATE_COVERED)
			log_hint("unmount it, then try again");
		else if (h->kind == STATE_MERGED)
			log_hint("outside of it: extmerge refresh --service=%s",
				 h->record->service);
		else
			log_hint("extmerge adopt takes it over without a gap; or systemd-%s "
				 "unmerge, and systemctl mask systemd-%s.service",
				 h->class->name, h->class->name);
		return EXIT_FAILED;
	}
	return EXIT_DONE;
}

static enum exit_code build(struct route *r, size_t i) {
	const struct route_submounts *s = &r->submounts[i];
	_cleanup_free_ char *why = NULL;
	int e = stack_build(&r->hierarchies[i], &r->workshop, route_backend(r, i),
			    r->wanted[i], s->items, s->n, &r->stacks[i], &why);

	if (e == 0)
		e = hierarchy_choose_witness(&r->hierarchies[i]);
	if (e == 0)
		return EXIT_DONE;
	log_error("Cannot build the new /%s: %s", r->hierarchies[i].name,
		  why ?: strerror(-e));
	return route_code(e);
}

static bool is_in(const struct route_submounts *s, const char *path) {
	for (size_t i = 0; i < s->n; i++)
		if (strcmp(s->items[i].path, path) == 0)
			return true;
	return false;
}

/* What is mounted on the merged tree, but not on the host's own directory below it. */
static int find_carried(struct route *r, size_t i, struct route_submounts *ret) {
	_cleanup_close_ int below = file_open_in(r->base, r->state.hierarchies[i].name,
						 O_PATH | O_DIRECTORY);
	_cleanup_(mounts_freep) struct mounts *m = NULL;
	struct route_submounts own = { 0 };
	int e = mounts_read(&m);

	if (e == 0 && below >= 0)
		e = route_take_submounts(m, below, &own);

	ret->items = calloc(r->submounts[i].n + 1, sizeof(*ret->items));
	if (!ret->items)
		e = -ENOMEM;
	for (size_t n = 0; e == 0 && n < r->submounts[i].n; n++)
		if (!is_in(&own, r->submounts[i].items[n].path))
			ret->items[ret->n++] = r->submounts[i].items[n];
	route_submounts_done(&own);
	return e;
}

static bool will_switch(const struct plan_step *s) {
	return s->action != PLAN_NOTHING && s->action != PLAN_KEEP;
}

static enum exit_code build_all(struct route *r) {
	enum exit_code code = uppers_prepare(r);

	for (size_t i = 0; code == EXIT_DONE && i < r->plan.n_steps; i++)
		if (will_switch(&r->plan.steps[i]) && r->wanted[i])
			code = build(r, i);
	return code;
}

/* The directory that we made, where its record is lost: known by its mode (switch.9). */
static bool is_made_below(const struct route *r, const struct state_hierarchy *h) {
	_cleanup_close_ int below = file_open_in(r->base, h->name, O_PATH | O_DIRECTORY);

	return state_is_made(below);
}

static void make_step(struct route *r, size_t i, const struct route_submounts *carried,
		      struct apply_step *s) {
	const struct state_hierarchy *h = &r->state.hierarchies[i];

	*s = (struct apply_step){
		.name = h->name,
		.action = r->plan.steps[i].action,
		.old = h->kind == STATE_MERGED || r->adopts ? h->fd : -EBADF,
		.tree = r->stacks[i].tree,
		.h = &r->hierarchies[i],
		.is_written = h->record && h->record->is_writable,
		.is_writable = r->wanted[i] && r->wanted[i]->is_writable,
		.renewed = r->uppers[i].fresh ? &r->uppers[i] : NULL,
		.create = h->fd < 0,
		.remove = h->record &&
			  (h->record->created || (h->is_dead && is_made_below(r, h))),
		.carried = carried->items,
		.n_carried = carried->n,
	};
}

/*
 * A gap is said aloud, and how long nobody could write: in the record as well, which is in use by now. A file that
 * is held open for writing is somebody's to know of.
 */
static void note_times(struct route *r, const struct apply_step *steps) {
	for (size_t i = 0; i < r->state.n; i++) {
		if (steps[i].is_busy)
			log_notice("/%s  files are open for writing, and stay so: %s",
				   steps[i].name,
				   steps[i].holder ?: "by nobody that is seen");
		if ((steps[i].gap == 0 && steps[i].pause == 0) || !r->wanted[i])
			continue;
		if (steps[i].gap > r->gap)
			r->gap = steps[i].gap;
		r->wanted[i]->gap = steps[i].gap;
		r->wanted[i]->pause = steps[i].pause;
		if (stack_write_record(r->stacks[i].meta, r->wanted[i]) < 0)
			log_warning(
				"Cannot note the times of the switch of /%s in its record",
				steps[i].name);
	}
}

/* In the child, by what this process had open. */
static void end_switch(void *data) {
	const struct route *r = data;
	struct state now;

	if (state_read(r->root, r->state.service, &now, NULL) == 0)
		(void)state_heal(&now, r->root, r->directory);
}

void transition_watch(struct route *r, struct watch *w) {
	watch_begin(w, end_switch, r);
}

static enum exit_code switch_all(struct route *r, const struct route_submounts *carried) {
	struct apply_step steps[STATE_HIERARCHIES_MAX];
	struct watch watch = WATCH_NONE;
	_cleanup_free_ char *why = NULL;
	bool stops = false;
	int e;

	for (size_t i = 0; i < r->state.n; i++) {
		make_step(r, i, &carried[i], &steps[i]);
		stops |= will_switch(&r->plan.steps[i]) &&
			 (steps[i].is_written || steps[i].is_writable);
	}
	if (stops && !r->watch)
		transition_watch(r, &watch);
	e = apply(r->root, r->directory,
		  &(struct apply_patience){ r->options->writers_wait,
					    r->options->cuts_writers_off },
		  steps, r->state.n, &why);
	watch_end(r->watch ?: &watch);
	if (e == 0)
		note_times(r, steps);
	for (size_t i = 0; i < r->state.n; i++) {
		r->is_left[i] = steps[i].is_left;
		free(steps[i].holder);
	}
	if (e == 0)
		return EXIT_DONE;
	log_error("Cannot switch: %s", why ?: strerror(-e));
	log_hint("what was merged before is still in place");
	if (e == -ETIMEDOUT)
		log_hint(
			"--wait=SECONDS waits longer for who writes, --writers=cut-off goes on without");
	return route_code(e);
}

enum exit_code transition_run(struct route *r) {
	struct route_submounts carried[STATE_HIERARCHIES_MAX] = { 0 };
	enum exit_code code = refuse_foreign(r);
	int e = 0;

	if (code != EXIT_DONE || !plan_has_work(&r->plan))
		return code;
	if (!r->is_privileged)
		return proxymount_run(r);
	for (size_t i = 0; i < r->state.n; i++)
		r->stacks[i] = (struct stack){ .tree = -EBADF, .meta = -EBADF };
	code = build_all(r);
	for (size_t i = 0; code == EXIT_DONE && e == 0 && i < r->plan.n_steps; i++)
		if (r->plan.steps[i].action == PLAN_UNMERGE)
			e = find_carried(r, i, &carried[i]);
	if (e == 0)
		e = workshop_leave(&r->workshop);
	if (code == EXIT_DONE && e < 0)
		code = route_fail(e, "go back to the host's mount namespace");
	if (code == EXIT_DONE)
		code = switch_all(r, carried);
	for (size_t i = 0; i < r->state.n; i++) {
		free(carried[i].items); /* the fds are those of r->submounts */
		stack_done(&r->stacks[i]);
	}
	uppers_clean(r, code == EXIT_DONE);
	return code;
}

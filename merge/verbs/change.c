/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What merge, refresh and unmerge have in common. */
#include "change.h"

#include <string.h>

#include "../event.h"
#include "../inputs.h"
#include "../journal.h"
#include "../json.h"
#include "../log.h"
#include "../proxymount.h"
#include "../report.h"
#include "../transition.h"

/* The newest of what is merged now that the plan has been carried out; 0 where nothing is. */
static uint64_t find_generation(const struct route *r) {
	uint64_t newest = 0;

	for (size_t i = 0; i < r->state.n; i++) {
		const struct plan_step *s = i < r->plan.n_steps ? &r->plan.steps[i]
								: NULL;
		const struct record *record = r->state.hierarchies[i].record;

		if (s && (s->action == PLAN_MERGE || s->action == PLAN_REPLACE))
			record = s->wanted;
		else if (s && s->action == PLAN_UNMERGE)
			record = NULL;
		if (record && record->generation > newest)
			newest = record->generation;
	}
	return newest;
}

static void print_json(struct route *r) {
	struct json_object *o = json_new("change");

	/* No lack of memory may hide that the change was made. */
	(void)inputs_recall(r);
	json_add_bool(o, "changed", plan_has_work(&r->plan));
	json_add_number(o, "generation", (int64_t)find_generation(r));
	json_add_bool(o, "pending", false);
	json_add_plan(o, r);
	json_add_extensions(o, r, NULL);
	json_add_hooks(o, r);
	json_print(o, r->options->json);
}

void change_report(struct route *r, const char *nothing) {
	event_send_status(r);
	if (journal_is_on())
		event_send_changes(r);
	else
		report_hooks(r);
	if (r->options->json != JSON_OFF) {
		print_json(r);
		return;
	}
	if (!journal_is_on())
		report_changes(r);
	if (!plan_has_work(&r->plan))
		log_notice("%s", nothing);
}

static bool is_unread(const struct extension *x) {
	return x->verdict.code == VERDICT_UNREADABLE ||
	       x->verdict.code == VERDICT_UNRESPONSIVE;
}

/* Whether the merged layer `l` comes from what could not be read this time. */
static bool is_lost(const struct route *r, const struct record_layer *l) {
	for (size_t i = 0; l->path && i < r->extensions.n; i++)
		if (is_unread(r->extensions.items[i]) &&
		    strcmp(r->extensions.items[i]->path, l->path) == 0)
			return true;
	for (char **directory = r->found.unread; l->path && directory && *directory;
	     directory++)
		if (strncmp(l->path + 1, *directory, strlen(*directory)) == 0 &&
		    l->path[strlen(*directory) + 1] == '/')
			return true;
	return false;
}

/*
 * switch.13: what is merged and works is not taken away because its source cannot be read for the moment. Who
 * wants it away removes it from there.
 */
static enum exit_code refuse_loss(const struct route *r) {
	for (size_t i = 0; i < r->state.n; i++) {
		const struct record *record = r->state.hierarchies[i].record;

		for (size_t n = 0; record && n < record->n_layers; n++) {
			const struct record_layer *l = &record->layers[n];

			if (!route_has_class(r, record->class) || !is_lost(r, l))
				continue;
			log_error(
				"Cannot refresh: %s is merged, and its source %s cannot be read",
				l->name, l->path);
			log_hint(
				"what is merged stays; mend the source, or take it away for good");
			return EXIT_FAILED;
		}
	}
	return EXIT_DONE;
}

enum exit_code change_examine(struct route *r, bool *ret_settled) {
	enum exit_code code = route_enter(r);

	*ret_settled = false;
	if (code == EXIT_DONE)
		code = proxymount_clear_dead(r);
	if (code == EXIT_DONE)
		code = route_discover(r);
	if (code != EXIT_DONE)
		return code;
	*ret_settled = inputs_settle(r);
	if (*ret_settled)
		return EXIT_DONE;
	code = proxymount_clear(r);
	if (code == EXIT_DONE)
		code = route_examine(r);
	if (code != EXIT_DONE)
		return code;
	if (journal_is_on())
		event_send_skipped(r);
	else
		report_skipped(r);
	if (r->options->strict && route_count_skipped(r) > 0) {
		log_error("Cannot merge all: %zu of %zu skipped, and --strict is given",
			  route_count_skipped(r), r->extensions.n);
		log_hint("nothing was changed");
		return EXIT_SKIPPED;
	}
	return refuse_loss(r);
}

enum exit_code change_apply(struct route *r) {
	enum exit_code code;

	hooks_prepare(r);
	hooks_note(r);
	code = transition_run(r);
	if (code != EXIT_DONE) {
		hooks_drop(r);
		return code;
	}
	hooks_run(r);
	change_report(r, "Nothing to do.");
	return route_is_all_refused(r) ? EXIT_REFUSED : EXIT_DONE;
}

enum exit_code change_run(struct route *r) {
	bool is_settled;
	enum exit_code code = change_examine(r, &is_settled);

	if (code != EXIT_DONE)
		return code;
	if (!is_settled)
		return change_apply(r);
	hooks_note(r);
	hooks_run(r);
	change_report(r,
		      r->extensions.n ? "Nothing has changed." : "No extensions found.");
	if (r->extensions.n == 0 && r->options->boot == BOOT_NO)
		log_hint("extmerge list says where they are looked for");
	return EXIT_DONE;
}

/* Once: a refresh that a timer starts has something to do once. */
void change_note(const struct route *r) {
	if (r->options->json == JSON_OFF && !journal_is_on() &&
	    r->options->boot == BOOT_NO &&
	    (plan_has_work(&r->plan) || r->extensions.n == 0))
		report_notes(r);
}

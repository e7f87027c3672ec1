/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the verbs found: tables and trees for people. */
#include "report-parts.h"

#include <stdarg.h>
#include <string.h>

#include "table.h"
#include "text.h"
#include "transition.h"

void report_say(const char *format, ...) {
	_cleanup_free_ char *text = NULL, *escaped = NULL;
	va_list ap;

	va_start(ap, format);
	if (vasprintf(&text, format, ap) < 0)
		text = NULL;
	va_end(ap);
	escaped = text ? text_escape(text) : NULL;
	puts(escaped ?: "out of memory");
}

enum {
	LIST_NAME,
	LIST_VERSION,
	LIST_CLASS,
	LIST_FORMAT,
	LIST_TRUST,
	LIST_SIZE,
	LIST_STATE,
	LIST_PATH,
	LIST_REASON
};

static const struct table_column list_columns[] = {
	{ "NAME", 0 },	 { "VERSION", 0 }, { "CLASS", 0 },
	{ "FORMAT", 0 }, { "TRUST", 0 },   { "SIZE", TABLE_RIGHT },
	{ "STATE", 0 },	 { "PATH", 0 },	   { "REASON", 0 },
	{ NULL, 0 },
};

static void add_list_line(struct table *table, const struct extension *x) {
	struct table_line *line = table_add(table, NULL);
	_cleanup_free_ char *forced = x->forced.text
					      ? text_format("forced: %s", x->forced.text)
					      : NULL;
	_cleanup_free_ char *placed = x->placed_by ? report_place(x->placed_by) : NULL;
	_cleanup_free_ char *note = NULL;

	(void)text_join("; ", (const char *const[]){ forced ?: x->note, placed }, 2,
			&note);

	table_set(line, LIST_NAME, x->name.name);
	table_set(line, LIST_VERSION, x->name.version);
	table_set(line, LIST_CLASS, x->class->name);
	table_set(line, LIST_FORMAT, extension_format_word(x));
	table_set(line, LIST_TRUST, extension_fits(x) ? extension_trust_word(x) : NULL);
	table_set_size(line, LIST_SIZE, x->size);
	table_set(line, LIST_STATE, verdict_word(x->verdict.code));
	table_set(line, LIST_PATH, x->path);
	table_set(line, LIST_REASON, x->verdict.text ?: note);
}

void report_list(const struct route *r) {
	struct table *table = table_new(r->options, list_columns);
	size_t n_fit = 0;

	for (size_t i = 0; table && i < r->extensions.n; i++) {
		const struct extension *x = extensions_shown(&r->extensions, i);

		add_list_line(table, x);
		n_fit += extension_fits(x);
	}
	if (r->extensions.n > 0)
		table_print(table);
	else
		table_free(table);
	if (!r->options->legend)
		return;
	if (r->extensions.n == 0)
		report_none(r);
	else
		report_say("Uppermost layer first: %zu found, %zu fit.", r->extensions.n,
			   n_fit);
}

static void print_step(const struct plan_step *s) {
	const struct record *record = s->wanted ?: s->old;
	const char *reason = plan_reason(s);
	_cleanup_free_ char *form = NULL;
	bool is_top;

	if (s->action == PLAN_NOTHING)
		return;
	form = s->wanted ? report_form(s->wanted) : NULL;
	report_say("/%s  %s%s%s%s%s", s->hierarchy, plan_action_word(s->action),
		   reason ? ", as " : "", reason ?: "", form && *form ? "   " : "",
		   form ?: "");
	if (s->action == PLAN_UNMERGE)
		return;
	is_top = record->base && strcmp(record->base, "top") == 0;
	if (is_top)
		report_say("  %2zu  the host's own", record->n_layers + 1);
	for (size_t i = 0; i < record->n_layers; i++) {
		const struct record_layer *l = &record->layers[i];
		_cleanup_free_ char *note = report_layer_note(l);

		report_say("  %2zu  %s%s%s%s%s", record->n_layers - i, l->name,
			   l->version ? " " : "", l->version ?: "",
			   note && *note ? "   ! " : "", note ?: "");
	}
	if (!is_top)
		report_say("   0  the host's own");
}

static void print_skipped(const struct route *r) {
	for (size_t i = 0; i < r->extensions.n; i++) {
		const struct extension *x = extensions_shown(&r->extensions, i);
		_cleanup_free_ char *hint = verdict_advice(x->verdict.code,
							   x->name.name ?: "");

		if (extension_fits(x))
			continue;
		report_say("  ! %-8s %s  %s: %s",
			   verdict_is_quiet(x->verdict.code) ? "leave" : "skip", x->path,
			   verdict_word(x->verdict.code), x->verdict.text);
		if (hint && !verdict_is_quiet(x->verdict.code))
			report_say("             hint: %s", hint);
	}
}

static void print_end(const struct route *r) {
	const struct plan *p = &r->plan;
	_cleanup_free_ char *apply = report_refresh(r->options);
	char more[64] = "";
	size_t len = 0;

	/* What is seldom is said only where it is. */
	for (enum plan_change_kind k = PLAN_REORDERED; k <= PLAN_MENDED; k++)
		if (plan_count(p, k) > 0)
			len += (size_t)snprintf(more + len, sizeof(more) - len,
						" %zu to %s,", plan_count(p, k),
						plan_change_word(k));
	if (plan_has_work(p))
		report_say(
			"%zu to add, %zu to change, %zu to remove,%s %zu skipped.  Apply: %s",
			plan_count(p, PLAN_ADDED), plan_count(p, PLAN_CHANGED),
			plan_count(p, PLAN_REMOVED), more, route_count_skipped(r),
			apply ?: "");
	else if (r->extensions.n == 0)
		report_none(r);
	else
		report_say("Nothing to do.");
}

void report_plan(const struct route *r) {
	const struct plan *p = &r->plan;

	if (r->options->legend && plan_has_work(p))
		report_say("Generation %llu -> %llu   (nothing has been changed)",
			   (unsigned long long)route_generation(r),
			   (unsigned long long)route_generation(r) + 1);
	for (size_t i = 0; i < p->n_changes; i++) {
		_cleanup_free_ char *text = report_change(&p->changes[i]);

		report_say("%s", text ?: "out of memory");
	}
	print_skipped(r);
	for (size_t i = 0; i < p->n_steps; i++) {
		_cleanup_free_ char *obstacle = transition_obstacle(r, i);

		print_step(&p->steps[i]);
		if (obstacle)
			report_say("  ! /%s cannot be switched: %s",
				   r->state.hierarchies[i].name, obstacle);
	}
	if (r->options->legend)
		print_end(r);
}

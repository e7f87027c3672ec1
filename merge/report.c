/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the verbs found: tables and trees for people. */
#include "report.h"

#include <libsmartcols.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>

#include "file.h"
#include "log.h"
#include "table.h"
#include "text.h"
#include "transition.h"

/* One line on stdout; names in it may come from outside. */
static void say(const char *format, ...) _printf_(1, 2);
static void say(const char *format, ...) {
	_cleanup_free_ char *text = NULL, *escaped = NULL;
	va_list ap;

	va_start(ap, format);
	if (vasprintf(&text, format, ap) < 0)
		text = NULL;
	va_end(ap);
	escaped = text ? text_escape(text) : NULL;
	puts(escaped ?: "out of memory");
}

static void set(struct libscols_line *line, size_t column, const char *text) {
	table_set(line, column, text);
}

static void set_size(struct libscols_line *line, size_t column, uint64_t bytes) {
	table_set_size(line, column, bytes);
}

static void format_time(int64_t seconds, char ret[static 64]) {
	time_t t = (time_t)seconds;
	struct tm tm;

	table_use_locale();
	if (!localtime_r(&t, &tm) || strftime(ret, 64, "%a %F %H:%M:%S", &tm) == 0)
		strcpy(ret, "-");
}

enum {
	STATUS_NAME,
	STATUS_VERSION,
	STATUS_CLASS,
	STATUS_FORMAT,
	STATUS_TRUST,
	STATUS_SIZE,
	STATUS_STATE,
	STATUS_NOTE
};

static const struct table_column status_columns[] = {
	{ "NAME", SCOLS_FL_TREE },
	{ "VERSION", 0 },
	{ "CLASS", 0 },
	{ "FORMAT", 0 },
	{ "TRUST", 0 },
	{ "SIZE", SCOLS_FL_RIGHT },
	{ "STATE", 0 },
	{ "NOTE", SCOLS_FL_WRAP },
	{ NULL, 0 },
};

static const char dead_note[] = "its server has died, and reads fail: extmerge refresh "
				"mends it";

/* order.8; NULL where memory ran out. */
static char *describe_place(const char *placed_by) {
	return text_format("placed by %s", placed_by);
}

/* "hides 3 files of the host, docker (11)" and whatever else was noted. */
static char *layer_note(const struct record_layer *l) {
	const char *dead = l->is_dead ? dead_note : NULL;
	_cleanup_free_ char *hides = NULL, *placed = NULL;
	char host[64] = "", hidden[64] = "", *note = NULL;

	if (l->hides_host)
		snprintf(host, sizeof(host), "%u of the host", l->hides_host);
	if (l->hides_host || l->hides) {
		hides = text_format("hides files: %s%s%s", host,
				    l->hides_host && l->hides ? ", " : "", l->hides ?: "");
		if (!hides)
			return NULL;
	}
	if (l->placed_by) {
		placed = describe_place(l->placed_by);
		if (!placed)
			return NULL;
	}
	if (l->hidden_by_host)
		snprintf(hidden, sizeof(hidden), "hidden by the host: %u files",
			 l->hidden_by_host);
	if (text_join("; ",
		      (const char *const[]){ dead, placed, hides, *hidden ? hidden : NULL,
					     l->note },
		      5, &note) < 0)
		return NULL;
	return note ?: strdup("");
}

static void add_layer_line(struct libscols_table *table, struct libscols_line *parent,
			   const struct record *record, const struct record_layer *l) {
	struct libscols_line *line = table_add(table, parent);
	_cleanup_free_ char *note = layer_note(l);

	set(line, STATUS_NAME, l->name);
	set(line, STATUS_VERSION, l->version);
	set(line, STATUS_CLASS, record->class->name);
	set(line, STATUS_FORMAT, l->format);
	set(line, STATUS_TRUST, l->trust);
	set_size(line, STATUS_SIZE, l->size);
	set(line, STATUS_STATE, l->is_dead ? "dead" : "active");
	set(line, STATUS_NOTE, note);
}

static void add_skipped_line(struct libscols_table *table, struct libscols_line *parent,
			     const struct record *record, const struct record_skipped *s) {
	struct libscols_line *line = table_add(table, parent);
	_cleanup_free_ char *note = text_format("%s: %s", verdict_word(s->code),
						s->text ?: "");

	set(line, STATUS_NAME, s->name);
	set(line, STATUS_VERSION, s->version);
	set(line, STATUS_CLASS, record->class->name);
	set(line, STATUS_STATE,
	    verdict_is_quiet(s->code) ? verdict_word(s->code) : "skipped");
	set(line, STATUS_NOTE, note);
}

/* Overlayfs is what everybody expects. */
static bool is_by_other(const struct record *r) {
	return r->backend && strcmp(r->backend, backend_text(BACKEND_OVERLAY)) != 0;
}

/* "by fuse (this kernel has no overlayfs)" */
static char *describe_backend(const struct record *r) {
	const char *why = r->backend_why;

	return text_format("by %s%s%s%s", r->backend, why ? " (" : ", as asked for",
			   why ?: "", why ? ")" : "");
}

static char *form_text(const struct record *r) {
	_cleanup_free_ char *written = NULL, *imported = NULL, *by = NULL;
	char *text = NULL;

	if (is_by_other(r))
		by = describe_backend(r);
	if (r->is_writable)
		written = text_format("writable (%s): %s", r->mutable ?: "?",
				      r->upper && !r->is_imported
					      ? r->upper
					      : "in memory, until it is unmerged");
	if (r->is_imported)
		imported = text_format("%s imported", r->upper ?: "?");
	if ((r->is_writable && !written) || (r->is_imported && !imported) ||
	    (is_by_other(r) && !by) ||
	    text_join("; ",
		      (const char *const[]){ by, written, imported,
					     r->base && strcmp(r->base, "top") == 0
						     ? "the host's own files win"
						     : NULL },
		      4, &text) < 0)
		return NULL;
	return text ?: strdup("");
}

static char *hierarchy_note(const struct state_hierarchy *h) {
	if (h->is_dead)
		return strdup(dead_note);
	if (h->kind == STATE_COVERED)
		return text_format("%s is mounted on top of extmerge's tree", h->other);
	if (h->kind == STATE_PEER)
		return text_format("merged by systemd-%s: run systemd-%s unmerge first",
				   h->class->name, h->class->name);
	if (h->kind == STATE_MERGED && h->stacked > 1)
		return text_format("%u trees lie on each other after an interrupted run: "
				   "extmerge refresh finishes it",
				   h->stacked);
	if (h->record && !h->record->inputs)
		return strdup("its record cannot be read");
	if (h->record && h->record->gap)
		return text_format(
			"this kernel cannot mount beneath: the last switch left a gap "
			"of %lld us",
			(long long)h->record->gap);
	return h->record ? form_text(h->record) : strdup("");
}

static void add_hierarchy_lines(struct libscols_table *table,
				const struct state_hierarchy *h, bool with_skipped) {
	static const char *const words[] = { [STATE_PLAIN] = "not merged",
					     [STATE_MERGED] = "merged",
					     [STATE_COVERED] = "covered",
					     [STATE_PEER] = "foreign" };
	struct libscols_line *parent = table_add(table, NULL);
	_cleanup_free_ char *path = file_join("", h->name), *note = hierarchy_note(h);

	set(parent, STATUS_NAME, path);
	set(parent, STATUS_STATE, h->is_dead ? "dead" : words[h->kind]);
	set(parent, STATUS_NOTE, note);
	for (size_t i = 0; h->record && i < h->record->n_layers; i++)
		add_layer_line(table, parent, h->record, &h->record->layers[i]);
	/* What was skipped belongs to the class: it is shown once. */
	for (size_t i = 0; h->record && with_skipped && i < h->record->n_skipped; i++)
		add_skipped_line(table, parent, h->record, &h->record->skipped[i]);
}

static void print_summary(const struct route *r, const struct record *newest) {
	char since[64];

	if (!newest) {
		say("Nothing is merged.");
		return;
	}
	format_time(newest->since, since);
	say("Merged: generation %llu since %s, by %s.",
	    (unsigned long long)route_generation(r), newest->since ? since : "?",
	    newest->backend ?: "?");
}

/* With --verbose: who has signed what, and what holds it. */
static void print_proof(const struct record_layer *l) {
	if (!l->root_hash)
		return;
	say("%s", l->name);
	say("  root hash    %s, in force by %s", l->root_hash, l->guard ?: "?");
	if (l->on_corruption)
		say("  wrong block  makes the machine %s", l->on_corruption);
	if (l->signer)
		say("  signed by    \"%s\", checked by %s", l->signer,
		    l->is_kernel_checked ? "the kernel, too" : "extmerge");
	else if (l->is_kernel_checked)
		say("  signed by    somebody whom the kernel trusts, checked by the kernel");
	if (l->signer_fingerprint)
		say("  certificate  sha256 %s", l->signer_fingerprint);
}

static bool is_proved(const struct route *r, size_t before, const struct class *class,
		      const char *name) {
	for (size_t i = 0; i < before; i++) {
		const struct record *record = r->state.hierarchies[i].record;

		if (record && record->class == class && record_find_layer(record, name))
			return true;
	}
	return false;
}

/* An extension may be in several hierarchies: it is shown for the first. */
static void print_proofs(const struct route *r) {
	for (size_t i = 0; i < r->state.n; i++) {
		const struct record *record = r->state.hierarchies[i].record;

		for (size_t n = 0; record && n < record->n_layers; n++)
			if (!is_proved(r, i, record->class, record->layers[n].name))
				print_proof(&record->layers[n]);
	}
}

void report_status(const struct route *r, bool is_pending) {
	struct libscols_table *table = table_new(r->options, status_columns);
	const struct record *newest = NULL;
	bool is_shown[CLASS_COUNT] = { false };

	for (size_t i = 0; i < r->state.n; i++) {
		const struct record *record = r->state.hierarchies[i].record;

		/* A record that is lost has no time. */
		if (record && (!newest || record->since > newest->since))
			newest = record;
	}
	if (r->options->legend)
		print_summary(r, newest);
	for (size_t i = 0; table && i < r->state.n; i++) {
		const struct state_hierarchy *h = &r->state.hierarchies[i];

		if (!route_has_class(r, h->class) || h->fd < 0)
			continue;
		add_hierarchy_lines(table, h, !is_shown[h->class->id]);
		is_shown[h->class->id] |= h->record != NULL;
	}
	table_print(table);
	if (r->options->verbose)
		print_proofs(r);
	if (r->options->legend && is_pending)
		say("%s  See: extmerge plan   Apply: extmerge refresh",
		    newest ? "The extensions have changed since."
			   : "There are extensions, and none is merged.");
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
	{ "FORMAT", 0 }, { "TRUST", 0 },   { "SIZE", SCOLS_FL_RIGHT },
	{ "STATE", 0 },	 { "PATH", 0 },	   { "REASON", SCOLS_FL_WRAP },
	{ NULL, 0 },
};

static void add_list_line(struct libscols_table *table, const struct extension *x) {
	struct libscols_line *line = table_add(table, NULL);
	_cleanup_free_ char *forced = x->forced.text
					      ? text_format("forced: %s", x->forced.text)
					      : NULL;
	_cleanup_free_ char *placed = x->placed_by ? describe_place(x->placed_by) : NULL;
	_cleanup_free_ char *note = NULL;

	(void)text_join("; ", (const char *const[]){ forced ?: x->note, placed }, 2,
			&note);

	set(line, LIST_NAME, x->name.name);
	set(line, LIST_VERSION, x->name.version);
	set(line, LIST_CLASS, x->class->name);
	set(line, LIST_FORMAT, extension_format_word(x));
	set(line, LIST_TRUST, extension_fits(x) ? extension_trust_word(x) : NULL);
	set_size(line, LIST_SIZE, x->size);
	set(line, LIST_STATE, verdict_word(x->verdict.code));
	set(line, LIST_PATH, x->path);
	set(line, LIST_REASON, x->verdict.text ?: note);
}

void report_list(const struct route *r) {
	struct libscols_table *table = table_new(r->options, list_columns);
	size_t n_fit = 0;

	for (size_t i = 0; table && i < r->extensions.n; i++) {
		add_list_line(table, r->extensions.items[i]);
		n_fit += extension_fits(r->extensions.items[i]);
	}
	if (r->extensions.n > 0)
		table_print(table);
	else
		table_free(table);
	if (!r->options->legend)
		return;
	if (r->extensions.n == 0)
		say("No extensions found.");
	else
		say("Lowest layer first: %zu found, %zu fit.", r->extensions.n, n_fit);
}

/* "28.0.4 -> 28.1.0", or the one version there is. */
static char *describe_version(const struct plan_change *c) {
	const char *old = c->old ? c->old->version : NULL;
	const char *wanted = c->wanted ? c->wanted->version : NULL;

	if (old && wanted && strcmp(old, wanted) != 0)
		return text_format("%s -> %s", old, wanted);
	return strdup(wanted ?: old ?: "");
}

static char *describe_change(const struct plan_change *c) {
	const struct record_layer *l = c->wanted ?: c->old;
	_cleanup_free_ char *version = describe_version(c);

	return text_format("  %s %-8s %s%s%s  (%s, %s, %s)", plan_change_sign(c->kind),
			   plan_change_word(c->kind), l->name,
			   version && *version ? " " : "", version ?: "", c->class->name,
			   l->format ?: "?", l->trust ?: "?");
}

static void print_step(const struct plan_step *s) {
	const struct record *record = s->wanted ?: s->old;
	_cleanup_free_ char *form = NULL;
	bool is_top;

	if (s->action == PLAN_NOTHING)
		return;
	form = s->wanted ? form_text(s->wanted) : NULL;
	say("/%s  %s%s%s", s->hierarchy, plan_action_word(s->action),
	    form && *form ? "   " : "", form ?: "");
	if (s->action == PLAN_UNMERGE)
		return;
	is_top = record->base && strcmp(record->base, "top") == 0;
	if (is_top)
		say("  %2zu  the host's own", record->n_layers + 1);
	for (size_t i = 0; i < record->n_layers; i++) {
		const struct record_layer *l = &record->layers[i];
		_cleanup_free_ char *note = layer_note(l);

		say("  %2zu  %s%s%s%s%s", record->n_layers - i, l->name,
		    l->version ? " " : "", l->version ?: "", note && *note ? "   ! " : "",
		    note ?: "");
	}
	if (!is_top)
		say("   0  the host's own");
}

static void print_skipped(const struct route *r) {
	for (size_t i = 0; i < r->extensions.n; i++) {
		const struct extension *x = r->extensions.items[i];
		const char *hint = verdict_hint(x->verdict.code);

		if (extension_fits(x))
			continue;
		say("  ! %-8s %s  %s: %s",
		    verdict_is_quiet(x->verdict.code) ? "leave" : "skip", x->path,
		    verdict_word(x->verdict.code), x->verdict.text);
		if (hint && !verdict_is_quiet(x->verdict.code))
			say("             hint: %s", hint);
	}
}

void report_plan(const struct route *r) {
	const struct plan *p = &r->plan;

	if (r->options->legend)
		say("Generation %llu -> %llu   (nothing has been changed)",
		    (unsigned long long)route_generation(r),
		    (unsigned long long)route_generation(r) + plan_has_work(p));
	for (size_t i = 0; i < p->n_changes; i++) {
		_cleanup_free_ char *text = describe_change(&p->changes[i]);

		say("%s", text ?: "out of memory");
	}
	print_skipped(r);
	for (size_t i = 0; i < p->n_steps; i++) {
		_cleanup_free_ char *obstacle = transition_obstacle(r, i);

		print_step(&p->steps[i]);
		if (obstacle)
			say("  ! /%s cannot be switched: %s",
			    r->state.hierarchies[i].name, obstacle);
	}
	if (r->options->legend && !plan_has_work(p))
		say("Nothing to do.");
	else if (r->options->legend)
		say("%zu to add, %zu to change, %zu to remove, %zu skipped.  Apply: extmerge refresh",
		    plan_count(p, PLAN_ADDED), plan_count(p, PLAN_CHANGED),
		    plan_count(p, PLAN_REMOVED), route_count_skipped(r));
}

static void notice_step(const struct route *r, const struct plan_step *s) {
	if (s->action == PLAN_NOTHING || s->action == PLAN_KEEP)
		return;
	if (s->action == PLAN_UNMERGE)
		log_notice("/%s  unmerged", s->hierarchy);
	else if (s->wanted->gap > 0)
		log_notice("/%s  %zu layers over the host's own, with a gap of %lld us: this kernel "
			   "cannot mount beneath",
			   s->hierarchy, s->wanted->n_layers, (long long)s->wanted->gap);
	else
		log_notice("/%s  %zu layer%s %s the host's own%s, without a gap",
			   s->hierarchy, s->wanted->n_layers,
			   s->wanted->n_layers == 1 ? "" : "s",
			   s->wanted->base && strcmp(s->wanted->base, "top") == 0
				   ? "under"
				   : "over",
			   s->wanted->is_writable ? ", writable" : "");
	if (s->wanted && s->wanted->pause > 0)
		log_detail("/%s could not be written for %lld us", s->hierarchy,
			   (long long)s->wanted->pause);
	if (s->wanted)
		log_detail("/%s was built by the '%s' rung of generation %llu",
			   s->hierarchy, s->wanted->layers_by ?: "?",
			   (unsigned long long)route_generation(r) + 1);
}

void report_changes(const struct route *r) {
	const struct plan *p = &r->plan;

	for (size_t i = 0; i < p->n_changes; i++) {
		_cleanup_free_ char *text = describe_change(&p->changes[i]);

		if (p->changes[i].kind != PLAN_SAME)
			log_notice("%s", text ?: "out of memory");
	}
	for (size_t i = 0; i < p->n_steps; i++)
		notice_step(r, &p->steps[i]);
}

/* A hint is given once for each verdict, however many there are. */
void report_skipped(const struct route *r) {
	bool is_hinted[VERDICT_COUNT] = { false };

	for (size_t i = 0; i < r->extensions.n; i++) {
		const struct extension *x = r->extensions.items[i];
		const struct verdict *v = &x->verdict;

		if (x->forced.text)
			log_warning("%s: forced, although %s", x->path, x->forced.text);
		if (extension_fits(x) && x->note)
			log_warning("%s: %s", x->path, x->note);
		if (extension_fits(x) || verdict_is_quiet(v->code))
			continue;
		log_warning("%s skipped: %s: %s", x->path, verdict_word(v->code), v->text);
		if (verdict_hint(v->code) && !is_hinted[v->code])
			log_hint("%s", verdict_hint(v->code));
		is_hinted[v->code] = true;
	}
}

void report_hooks(const struct route *r) {
	for (size_t i = 0; i < r->hooks.n; i++) {
		const struct hook_result *h = &r->hooks.items[i];

		if (h->why)
			log_warning("Hook '%s' failed: %s%s%s", h->name, h->program ?: "",
				    h->program ? ": " : "", h->why);
	}
}

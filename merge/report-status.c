/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is merged, as a tree for people. */
#include "report-parts.h"

#include <string.h>
#include <time.h>

#include "file.h"
#include "table.h"
#include "text.h"

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
	{ "NAME", TABLE_TREE }, { "VERSION", 0 }, { "CLASS", 0 },
	{ "FORMAT", 0 },	{ "TRUST", 0 },	  { "SIZE", TABLE_RIGHT },
	{ "STATE", 0 },		{ "NOTE", 0 },	  { NULL, 0 },
};

static void add_layer_line(struct table *table, struct table_line *parent,
			   const struct record *record, const struct record_layer *l) {
	struct table_line *line = table_add(table, parent);
	_cleanup_free_ char *note = report_layer_note(l);

	table_set(line, STATUS_NAME, l->name);
	table_set(line, STATUS_VERSION, l->version);
	table_set(line, STATUS_CLASS, record->class->name);
	table_set(line, STATUS_FORMAT, l->format);
	table_set(line, STATUS_TRUST, l->trust);
	table_set_size(line, STATUS_SIZE, l->size);
	table_set(line, STATUS_STATE, l->is_dead ? "dead" : "active");
	table_set(line, STATUS_NOTE, note);
}

static void add_skipped_line(struct table *table, struct table_line *parent,
			     const struct record *record, const struct record_skipped *s) {
	struct table_line *line = table_add(table, parent);
	const bool is_quiet = verdict_is_quiet(s->code); /* the state says the word */
	_cleanup_free_ char *note = text_format("%s%s%s",
						is_quiet ? "" : verdict_word(s->code),
						is_quiet ? "" : ": ", s->text ?: "");

	table_set(line, STATUS_NAME, s->name);
	table_set(line, STATUS_VERSION, s->version);
	table_set(line, STATUS_CLASS, record->class->name);
	table_set(line, STATUS_STATE, is_quiet ? verdict_word(s->code) : "skipped");
	table_set(line, STATUS_NOTE, note);
}

static char *hierarchy_note(const struct state_hierarchy *h) {
	if (h->is_dead)
		return strdup(report_dead_note);
	if (h->kind == STATE_COVERED)
		return text_format("%s is mounted on top of extmerge's tree", h->other);
	if (h->kind == STATE_PEER)
		return text_format("merged by systemd-%s: extmerge adopt takes it over",
				   h->class->name);
	if (h->kind == STATE_MERGED && h->stacked > 1)
		return text_format("%u trees lie on each other after an interrupted run: "
				   "extmerge refresh finishes it",
				   h->stacked);
	if (h->record && !h->record->inputs)
		return strdup("its record cannot be read");
	if (h->record && h->record->gap)
		return text_format("%s cannot mount beneath: the last switch left a gap "
				   "of %lld us",
				   report_mounter(h->record), (long long)h->record->gap);
	return h->record ? report_form(h->record) : strdup("");
}

static void add_hierarchy_lines(struct table *table, const struct state_hierarchy *h,
				bool with_skipped) {
	static const char *const words[] = { [STATE_PLAIN] = "not merged",
					     [STATE_MERGED] = "merged",
					     [STATE_COVERED] = "covered",
					     [STATE_PEER] = "foreign" };
	struct table_line *parent = table_add(table, NULL);
	_cleanup_free_ char *path = file_join("", h->name), *note = hierarchy_note(h);

	table_set(parent, STATUS_NAME, path);
	table_set(parent, STATUS_STATE, h->is_dead ? "dead" : words[h->kind]);
	table_set(parent, STATUS_NOTE, note);
	for (size_t i = 0; h->record && i < h->record->n_layers; i++)
		add_layer_line(table, parent, h->record, &h->record->layers[i]);
	/* What was skipped belongs to the class: it is shown once. */
	for (size_t i = 0; h->record && with_skipped && i < h->record->n_skipped; i++)
		add_skipped_line(table, parent, h->record, &h->record->skipped[i]);
}

static void print_summary(const struct route *r, const struct record *newest) {
	char since[64];

	if (!newest) {
		report_say("Nothing is merged.");
		return;
	}
	format_time(newest->since, since);
	report_say("Merged: generation %llu since %s, by %s.",
		   (unsigned long long)route_generation(r), newest->since ? since : "?",
		   newest->backend ?: "?");
}

/* With --verbose: who has signed what, and what holds it. */
static void print_proof(const struct record_layer *l) {
	if (!l->root_hash)
		return;
	report_say("%s", l->name);
	report_say("  root hash    %s, in force by %s", l->root_hash, l->guard ?: "?");
	if (l->on_corruption)
		report_say("  wrong block  makes the machine %s", l->on_corruption);
	if (l->signer)
		report_say("  signed by    \"%s\", checked by %s", l->signer,
			   l->is_kernel_checked ? "the kernel, too" : "extmerge");
	else if (l->is_kernel_checked)
		report_say(
			"  signed by    somebody whom the kernel trusts, checked by the kernel");
	if (l->signer_fingerprint)
		report_say("  certificate  sha256 %s", l->signer_fingerprint);
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

/* Extensions, configuration, or what the last run was given and does not stay. */
static void say_pending(const struct route *r, const struct record *newest) {
	_cleanup_free_ char *apply = report_refresh(r->options);

	report_say(
		"%s  Apply: %s",
		newest ? "A refresh would change something; extmerge plan shows what."
		       : "There are extensions, and none is merged; extmerge plan shows them.",
		apply ?: "");
}

void report_status(const struct route *r, bool is_pending) {
	struct table *table = table_new(r->options, status_columns);
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
		say_pending(r, newest);
}

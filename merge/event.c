/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a change did, as entries of the journal. */
#include "event.h"

#include <string.h>

#include "journal.h"
#include "text.h"

/* log.3: they never change; a new event gets a new one. */
static const struct kind {
	const char *id, *priority;
} kinds[EVENT_COUNT] = {
	[EVENT_MERGED] = { "a8a3b2fecef34e56840f504f33065fda", "6" },
	[EVENT_UNMERGED] = { "7325289eba90405ebae3d8a1708b6696", "6" },
	[EVENT_SKIPPED] = { "6a0f1b09403a4c5690ec6a8e09e2ed3f", "4" },
	[EVENT_REFUSED] = { "fb909c8b84dd4a1b93a2e25f2dc97eb3", "4" },
	[EVENT_GAP] = { "67ad39ce64e34a979d8d31144fb8f3cd", "5" },
	[EVENT_HOOK_FAILED] = { "8d9c3c936f8e4344b9e7d16845d78c67", "4" },
};

const char *event_id(enum event e) {
	return kinds[e].id;
}

/* The message is owned by us, and may be NULL where memory ran out. */
static void send_event(enum event e, char *message, const struct journal_field *more,
		       size_t n) {
	struct journal_field fields[16] = {
		{ "MESSAGE", NULL },
		{ "MESSAGE_ID", kinds[e].id },
		{ "PRIORITY", kinds[e].priority },
	};
	_cleanup_free_ char *text = message, *escaped = text ? text_escape(text) : NULL;

	fields[0].value = escaped ?: "out of memory";
	for (size_t i = 0; i < n && i < ARRAY_SIZE(fields) - 3; i++)
		fields[3 + i] = more[i];
	journal_send(fields, ARRAY_SIZE(fields));
}

void event_send_skipped(const struct route *r) {
	for (size_t i = 0; i < r->extensions.n; i++) {
		const struct extension *x = extensions_shown(&r->extensions, i);
		const enum verdict_code code = x->verdict.code;
		const bool is_refused = verdict_is_refusal(code);
		const struct journal_field fields[] = {
			{ "EXTMERGE_CLASS", x->class->name },
			{ "EXTMERGE_NAME", x->name.name },
			{ "EXTMERGE_VERSION", x->name.version },
			{ "EXTMERGE_PATH", x->path },
			{ "EXTMERGE_CODE", verdict_word(code) },
			{ "EXTMERGE_REASON", x->verdict.text },
			{ "EXTMERGE_HINT", verdict_hint(code) },
		};

		if (code == VERDICT_FITS || verdict_is_quiet(code))
			continue;
		send_event(is_refused ? EVENT_REFUSED : EVENT_SKIPPED,
			   text_format("%s %s: %s: %s",
				       is_refused ? "Refused" : "Skipped", x->path,
				       verdict_word(code), x->verdict.text ?: ""),
			   fields, ARRAY_SIZE(fields));
	}
}

static void send_change(const struct route *r, const struct plan_change *c) {
	static const char *const words[] = {
		[PLAN_ADDED] = "Merged",     [PLAN_CHANGED] = "Merged anew",
		[PLAN_REMOVED] = "Unmerged", [PLAN_REORDERED] = "Merged in another order",
		[PLAN_MENDED] = "Mended",    [PLAN_SAME] = "",
	};
	const struct record_layer *l = c->wanted ?: c->old;
	char generation[24];
	const struct journal_field fields[] = {
		{ "EXTMERGE_CLASS", c->class->name },
		{ "EXTMERGE_NAME", l->name },
		{ "EXTMERGE_VERSION", l->version },
		{ "EXTMERGE_OLD_VERSION", c->old && c->wanted ? c->old->version : NULL },
		{ "EXTMERGE_PATH", l->path },
		{ "EXTMERGE_TRUST", l->trust },
		{ "EXTMERGE_ROOTHASH", l->root_hash },
		{ "EXTMERGE_SIGNER", l->signer },
		{ "EXTMERGE_GENERATION", generation },
	};

	snprintf(generation, sizeof(generation), "%llu",
		 (unsigned long long)route_generation(r) + 1);
	send_event(c->wanted ? EVENT_MERGED : EVENT_UNMERGED,
		   text_format("%s %s%s%s (%s, %s)", words[c->kind], l->name,
			       l->version ? " " : "", l->version ?: "", c->class->name,
			       l->trust ?: "unprotected"),
		   fields, ARRAY_SIZE(fields));
}

static void send_gap(const struct route *r) {
	char number[24];
	const struct journal_field field = { "EXTMERGE_GAP_USEC", number };

	if (r->gap == 0)
		return;
	snprintf(number, sizeof(number), "%lld", (long long)r->gap);
	send_event(EVENT_GAP,
		   text_format("For %lld microseconds neither the old nor the new tree "
			       "was there",
			       (long long)r->gap),
		   &field, 1);
}

static void send_hooks(const struct route *r) {
	for (size_t i = 0; i < r->hooks.n; i++) {
		const struct hook_result *h = &r->hooks.items[i];
		const struct journal_field fields[] = {
			{ "EXTMERGE_HOOK", h->name },
			{ "EXTMERGE_PROGRAM", h->program },
			{ "EXTMERGE_REASON", h->why },
		};

		if (h->why)
			send_event(EVENT_HOOK_FAILED,
				   text_format("Hook '%s' failed: %s%s%s", h->name,
					       h->program ?: "", h->program ? ": " : "",
					       h->why),
				   fields, ARRAY_SIZE(fields));
	}
}

void event_send_changes(const struct route *r) {
	if (plan_has_work(&r->plan)) {
		for (size_t i = 0; i < r->plan.n_changes; i++)
			if (r->plan.changes[i].kind != PLAN_SAME)
				send_change(r, &r->plan.changes[i]);
		send_gap(r);
	}
	send_hooks(r);
}

/* What is merged in the hierarchy once the run is over. */
static const struct record *record_now(const struct route *r, size_t i) {
	if (r->plan.n_steps == 0 || r->plan.steps[i].action == PLAN_NOTHING)
		return r->state.hierarchies[i].record;
	return r->plan.steps[i].wanted;
}

/* Of classes that were not examined this time, what the record says. */
static size_t count_skipped(const struct route *r) {
	size_t n = route_count_skipped(r);

	for (size_t c = 0; c < CLASS_COUNT; c++) {
		const struct record *record = NULL;

		for (size_t i = 0; r->is_settled[c] && i < r->state.n; i++)
			if (r->state.hierarchies[i].class->id == (enum class_id)c)
				record = r->state.hierarchies[i].record ?: record;
		for (size_t i = 0; record && i < record->n_skipped; i++)
			n += !verdict_is_quiet(record->skipped[i].code);
	}
	return n;
}

void event_send_status(const struct route *r) {
	_cleanup_free_ char *text = NULL, *where = strdup("");
	size_t layers = 0, skipped = count_skipped(r);

	for (size_t i = 0; where && i < r->state.n; i++) {
		const struct record *record = record_now(r, i);
		char *longer;

		if (!record || record->n_layers == 0)
			continue;
		layers += record->n_layers;
		longer = text_format("%s%s/%s %zu", where, *where ? ", " : "",
				     r->state.hierarchies[i].name, record->n_layers);
		free(where);
		where = longer;
	}
	text = layers ? text_format("Layers: %s; %zu extension%s skipped", where ?: "",
				    skipped, text_plural(skipped))
		      : strdup("Nothing is merged");
	if (text)
		journal_status(text);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whether what is merged was made from exactly what there is now. */
#include "inputs.h"

#include <string.h>

#include "digest.h"
#include "image.h"
#include "text.h"

static void digest_extension(struct digest *d, const struct extension *e) {
	digest_add_text(d, e->name.full);
	digest_add_text(d, e->path);
	digest_add_text(d, verdict_word(e->found));
	digest_add_text(d, e->fingerprint);
}

/* What shows it, what may be written, where that is, and where the host's own files lie (mutable.2, mutable.20). */
static void digest_form(const struct route *r, const struct class *class,
			struct digest *d) {
	for (size_t i = 0; i < r->state.n; i++) {
		const struct settings *s = route_settings(r, i);
		const struct upper *u = &r->uppers[i];
		char id[64] = "";
		struct stat st;

		if (r->state.hierarchies[i].class != class ||
		    r->state.hierarchies[i].is_left)
			continue;
		if (u->directory >= 0 && fstat(u->directory, &st) == 0)
			snprintf(id, sizeof(id), "%llx:%llu",
				 (unsigned long long)st.st_dev,
				 (unsigned long long)st.st_ino);
		else if (u->known_id)
			snprintf(id, sizeof(id), "%s", u->known_id);
		digest_add_text(d, backend_text(s->backend));
		digest_add(d, &s->grafts, sizeof(s->grafts));
		digest_add_text(d, mutable_mode_text(s->mutable));
		digest_add_text(d, base_place_text(s->base));
		digest_add_text(d, noexec_holds(s->noexec, class, r->host.runs_scripts)
					   ? "noexec"
					   : NULL);
		digest_add_text(d, s->origins[SETTINGS_MUTABLE].source >=
						   SETTINGS_COMMAND_LINE
					   ? "given"
					   : NULL);
		digest_add_text(d,
				s->origins[SETTINGS_BASE].source >= SETTINGS_COMMAND_LINE
					? "given"
					: NULL);
		digest_add_text(d, u->is_writable && !mutable_forgets(u->mode) &&
						   u->directory < 0 && !u->known_id
					   ? "new"
					   : id);
		digest_add_text(d, u->path);
	}
}

/* hierarchy.3: those that are configured; what is there of those of the class is part of each fingerprint. */
static void digest_hierarchies(const struct route *r, const struct class *class,
			       struct digest *d) {
	for (size_t i = 0; i < r->state.n; i++) {
		const struct state_hierarchy *h = &r->state.hierarchies[i];

		if (h->class == class && h->own_name && !h->is_left)
			digest_add_text(d, h->name);
	}
}

int inputs_digest(struct route *r, const struct class *class) {
	_cleanup_(digest_freep) struct digest *d = NULL;
	static const char *const keys[] = { "ID", "ID_LIKE", "VERSION_ID" };
	int e = digest_new(&d);

	for (size_t i = 0; e == 0 && i < r->extensions.n; i++)
		if (r->extensions.items[i]->class == class)
			e = image_fingerprint(r->extensions.items[i]);
	if (e < 0)
		return e;
	digest_add_text(d, PACKAGE_VERSION);
	digest_add_text(d, r->host.architecture);
	digest_add_text(d, r->host.scope);
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		digest_add_text(d, release_get(r->host.release, keys[i]));
	digest_add_text(d, release_get(r->host.release, class->level_key));
	digest_add_text(d, r->options->force_all ? "force" : NULL);
	for (char *const *name = r->options->force; name && *name; name++)
		digest_add_text(d, *name);
	digest_add_text(d, guard_choice_text(r->options->verity));
	digest_add_text(d, guard_corruption_text(r->options->on_corruption));
	digest_form(r, class, d);
	digest_hierarchies(r, class, d);
	e = trust_digest(&r->trust, class, r->base, d);
	if (e < 0)
		return e;
	for (size_t i = 0; i < r->extensions.n; i++)
		if (r->extensions.items[i]->class == class)
			digest_extension(d, r->extensions.items[i]);
	digest_finish(d, r->inputs[class->id]);
	return 0;
}

static bool has_dead_layer(const struct record *record) {
	for (size_t i = 0; i < record->n_layers; i++)
		if (record->layers[i].is_dead)
			return true;
	return false;
}

static bool has_inputs(const struct record *record, const char *inputs) {
	return record->inputs && strcmp(record->inputs, inputs) == 0;
}

/* What the last run that switched one has kept of the others was right for its inputs. */
static bool is_current(const struct state_hierarchy *h, const struct record *newest,
		       const char *inputs) {
	if (h->kind == STATE_PLAIN)
		return true;
	return h->kind == STATE_MERGED && h->stacked == 1 && h->record && !h->is_dead &&
	       !has_dead_layer(h->record) &&
	       (has_inputs(h->record, inputs) ||
		(newest->kept && text_has_word(newest->kept, h->name)));
}

static const struct record *find_newest(const struct route *r, const struct class *class) {
	const struct record *newest = NULL;

	for (size_t i = 0; i < r->state.n; i++) {
		const struct record *record = r->state.hierarchies[i].record;

		if (r->state.hierarchies[i].class == class && record &&
		    (!newest || record->generation > newest->generation))
			newest = record;
	}
	return newest;
}

static bool class_is_current(const struct route *r, const struct class *class) {
	const struct record *newest = find_newest(r, class);

	if (!newest || !has_inputs(newest, r->inputs[class->id]))
		return false;
	for (size_t i = 0; i < r->state.n; i++) {
		const struct state_hierarchy *h = &r->state.hierarchies[i];

		if (h->class != class)
			continue;
		if (r->renews[i] || !is_current(h, newest, r->inputs[class->id]))
			return false;
		/* A hierarchy that somebody unmounted is missing in the words of the others. */
		if (newest->with &&
		    text_has_word(newest->with, h->name) != (h->kind == STATE_MERGED))
			return false;
	}
	return true;
}

static bool has_skipped(const struct record *record) {
	for (size_t i = 0; i < record->n_skipped; i++)
		if (!verdict_is_quiet(record->skipped[i].code))
			return true;
	return false;
}

/* Whether there is anything of the class, merged or to merge. */
static bool class_is_there(const struct route *r, const struct class *class) {
	for (size_t i = 0; i < r->state.n; i++)
		if (r->state.hierarchies[i].class == class &&
		    (r->uppers[i].is_writable || r->uppers[i].is_imported))
			return true;
	for (size_t i = 0; i < r->extensions.n; i++)
		if (r->extensions.items[i]->class == class)
			return true;
	for (size_t i = 0; i < r->state.n; i++)
		if (r->state.hierarchies[i].class == class &&
		    r->state.hierarchies[i].kind != STATE_PLAIN)
			return true;
	return false;
}

/* With --strict, what was skipped last time is an error now. */
static bool class_has_skipped(const struct route *r, const struct class *class) {
	for (size_t i = 0; i < r->state.n; i++)
		if (r->state.hierarchies[i].class == class &&
		    r->state.hierarchies[i].record &&
		    has_skipped(r->state.hierarchies[i].record))
			return true;
	return false;
}

bool inputs_settle(struct route *r) {
	bool all = true;

	for (size_t c = 0; c < CLASS_COUNT; c++) {
		const struct class *class = &classes[c];

		r->is_settled[c] = !r->options->classes[c] || !class_is_there(r, class) ||
				   (class_is_current(r, class) &&
				    !(r->options->strict && class_has_skipped(r, class)));
		all = all && r->is_settled[c];
	}
	return all;
}

static int recall(struct extension *x, const struct record *record) {
	int e = 0;

	for (size_t i = 0; e == 0 && i < record->n_skipped; i++)
		if (record->class == x->class &&
		    strcmp(record->skipped[i].path ?: "", x->path) == 0)
			e = verdict_set(&x->verdict, record->skipped[i].code, "%s",
					record->skipped[i].text ?: "");
	return e;
}

int inputs_recall(struct route *r) {
	int e = 0;

	for (size_t i = 0; i < r->extensions.n; i++) {
		struct extension *x = r->extensions.items[i];
		const struct record *newest = find_newest(r, x->class);

		if (e == 0 && newest && r->is_settled[x->class->id])
			e = recall(x, newest);
	}
	return e;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The record of what should be merged. */
#include "draft.h"

#include <string.h>
#include <time.h>

#include "text.h"
#include "trigger.h"

static int copy_text(char **to, const char *from) {
	*to = from ? strdup(from) : NULL;
	return from && !*to ? -ENOMEM : 0;
}

/* "docker (11), net-cli (2)": whose files the layer hides, uppermost first. */
static int describe_hidden(const struct hierarchy *h, const struct layer *l,
			   size_t number, struct record_layer *to) {
	to->hides_host = l->hides_host;
	to->hidden_by_host = l->hidden_by_host;
	for (size_t i = number; i > 0; i--) {
		char *text;

		if (l->hides[i - 1] == 0)
			continue;
		to->hides_others += l->hides[i - 1];
		text = text_format("%s%s%s (%u)", to->hides ?: "", to->hides ? ", " : "",
				   h->layers[i - 1].extension->name.name, l->hides[i - 1]);
		if (!text)
			return -ENOMEM;
		free(to->hides);
		to->hides = text;
	}
	return 0;
}

/* What a person should know about the layer besides what it hides. */
static int describe_note(const struct hierarchy *h, const struct layer *l, char **ret) {
	const struct extension *x = l->extension;
	_cleanup_free_ char *covered = NULL;

	if (l->covered) {
		covered = text_format(
			"nothing of it below /%s/%s is seen: the host has a mount there",
			h->name, l->covered);
		if (!covered)
			return -ENOMEM;
	}
	return text_join("; ", (const char *const[]){ x->forced.text, covered, x->note },
			 3, ret);
}

/* hook.1, hook.6: what a later run has to know to tell the system that the layer is gone. */
static int copy_triggers(struct record_layer *to, const struct hierarchy *h,
			 const struct layer *l) {
	const struct release *release = l->extension->release;
	unsigned bits = trigger_look(l->fd, h->name);
	int r;

	if (release && release_is_true(release_get(release, "EXTENSION_RELOAD_MANAGER")))
		bits |= TRIGGER_BIT(TRIGGER_MANAGER);
	to->triggers = trigger_words(bits);
	if (!to->triggers)
		return -ENOMEM;
	if (!release)
		return 0;
	r = copy_text(&to->restart, release_get(release, "EXTENSION_RESTART_UNITS"));
	return r < 0 ? r
		     : copy_text(&to->reload,
				 release_get(release,
					     "EXTENSION_RELOAD_OR_RESTART_UNITS"));
}

static int copy_trust(struct record_layer *to, const struct extension *x) {
	int r = copy_text(&to->trust, extension_trust_word(x));

	to->is_kernel_checked = x->trust.is_kernel_checked;

	if (r == 0)
		r = copy_text(&to->root_hash, x->trust.root_hash);
	if (r == 0)
		r = copy_text(&to->signer, x->trust.signer);
	if (r == 0)
		r = copy_text(&to->signer_fingerprint, x->trust.signer_fingerprint);
	if (r == 0)
		r = copy_text(&to->guard, extension_guard_word(x));
	if (r == 0)
		r = copy_text(&to->on_corruption, x->trust.on_corruption);
	return r < 0 ? r : copy_text(&to->server, x->trust.server);
}

static int record_layers(const struct hierarchy *h, struct record *record) {
	for (size_t i = h->n_layers; i > 0; i--) {
		const struct layer *l = &h->layers[i - 1];
		const struct extension *x = l->extension;
		struct record_layer *to = record_add_layer(record);

		if (!to || copy_text(&to->name, x->name.name) < 0 ||
		    copy_text(&to->version, x->name.version) < 0 ||
		    copy_text(&to->path, x->path) < 0 ||
		    copy_text(&to->format, extension_format_word(x)) < 0 ||
		    copy_text(&to->fingerprint, x->fingerprint) < 0 ||
		    copy_text(&to->placed_by, x->placed_by) < 0 ||
		    copy_trust(to, x) < 0 || describe_note(h, l, &to->note) < 0 ||
		    describe_hidden(h, l, i - 1, to) < 0 || copy_triggers(to, h, l) < 0)
			return -ENOMEM;
		to->size = x->size;
	}
	return 0;
}

static int record_skips(const struct route *r, struct record *record) {
	for (size_t i = 0; i < r->extensions.n; i++) {
		const struct extension *x = extensions_shown(&r->extensions, i);
		struct record_skipped *to;

		if (x->class != record->class || extension_fits(x))
			continue;
		to = record_add_skipped(record);
		if (!to || copy_text(&to->name, x->name.name) < 0 ||
		    copy_text(&to->version, x->name.version) < 0 ||
		    copy_text(&to->path, x->path) < 0 ||
		    copy_text(&to->text, x->verdict.text) < 0)
			return -ENOMEM;
		to->code = x->verdict.code;
	}
	return 0;
}

/* The names of the hierarchies of the class that have layers. */
static char *merged_together(const struct route *r, const struct class *class) {
	char *text = strdup("");

	for (size_t i = 0; text && i < r->n_hierarchies; i++) {
		const struct hierarchy *h = &r->hierarchies[i];
		char *longer;

		if (h->class != class || !hierarchy_is_wanted(h))
			continue;
		longer = text_format("%s%s%s", text, *text ? " " : "", h->name);
		free(text);
		text = longer;
	}
	return text;
}

int draft_note_upper(const struct route *r, size_t i, struct record *record) {
	struct stat st;

	if (r->uppers[i].directory < 0)
		return copy_text(&record->upper_id, r->uppers[i].known_id);
	if (fstat(r->uppers[i].directory, &st) < 0)
		return -errno;
	record->upper_id = text_format("%llx:%llu", (unsigned long long)st.st_dev,
				       (unsigned long long)st.st_ino);
	return record->upper_id ? 0 : -ENOMEM;
}

/* What may be written, where that goes, and where the host's own files lie; its work directory is not made yet. */
static int record_form(const struct route *r, size_t i, struct record *record) {
	const struct settings *s = route_settings(r, i);
	const struct settings_origin *origins = s->origins;
	const struct upper *u = &r->uppers[i];

	record->mutable_given = origins[SETTINGS_MUTABLE].source >= SETTINGS_COMMAND_LINE;
	record->base_given = origins[SETTINGS_BASE].source >= SETTINGS_COMMAND_LINE;
	record->grafts_most = s->grafts;
	record->is_writable = u->is_writable;
	record->is_imported = u->is_imported;
	if (copy_text(&record->mutable, mutable_mode_text(s->mutable)) < 0 ||
	    copy_text(&record->base, base_place_text(s->base)) < 0 ||
	    copy_text(&record->upper, u->path) < 0)
		return -ENOMEM;
	return draft_note_upper(r, i, record);
}

int draft_record(const struct route *r, size_t i, struct record **ret) {
	const struct hierarchy *h = &r->hierarchies[i];
	_cleanup_(record_freep) struct record *record = record_new(h->class, h->name);
	int e = record ? 0 : -ENOMEM;

	if (e < 0)
		return e;
	record->generation = route_generation(r) + 1;
	record->since = time(NULL);
	/* A directory that we made stays ours to remove, over all refreshes. */
	record->created = h->base < 0 || state_is_made(h->base);
	record->with = merged_together(r, h->class);
	e = record->with ? copy_text(&record->inputs, r->inputs[h->class->id]) : -ENOMEM;
	record->is_noexec = h->is_noexec;
	if (e == 0)
		e = record_form(r, i, record);
	if (e == 0)
		e = copy_text(&record->service, r->options->service);
	if (e == 0)
		e = record_layers(h, record);
	if (e == 0)
		e = record_skips(r, record);
	if (e == 0)
		*ret = TAKE_PTR(record);
	return e;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is merged into one hierarchy. */
#include "record.h"

#include <string.h>

#include "strv.h"

static void layer_done(struct record_layer *l) {
	free(l->name);
	free(l->version);
	free(l->path);
	free(l->format);
	free(l->fingerprint);
	free(l->trust);
	free(l->root_hash);
	free(l->signer);
	free(l->signer_fingerprint);
	free(l->guard);
	free(l->on_corruption);
	free(l->server);
	free(l->placed_by);
	free(l->note);
	free(l->hides);
	free(l->triggers);
	free(l->restart);
	free(l->reload);
}

static void skipped_done(struct record_skipped *s) {
	free(s->name);
	free(s->version);
	free(s->path);
	free(s->text);
}

struct record *record_new(const struct class *class, const char *hierarchy) {
	_cleanup_(record_freep) struct record *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->class = class;
	r->hierarchy = strdup(hierarchy);
	return r->hierarchy ? TAKE_PTR(r) : NULL;
}

void record_free(struct record *r) {
	if (!r)
		return;
	for (size_t i = 0; i < r->n_layers; i++)
		layer_done(&r->layers[i]);
	for (size_t i = 0; i < r->n_skipped; i++)
		skipped_done(&r->skipped[i]);
	free(r->layers);
	free(r->skipped);
	free(r->hierarchy);
	free(r->with);
	free(r->kept);
	free(r->inputs);
	free(r->backend);
	strv_free(r->grafts);
	strv_free(r->grafts_failed);
	free(r->mutable);
	free(r->base);
	free(r->upper);
	free(r->upper_id);
	free(r->memory_id);
	free(r->work);
	free(r->backend_why);
	free(r->server);
	free(r->io);
	free(r->layers_by);
	free(r->service);
	free(r);
}

struct record_layer *record_add_layer(struct record *r) {
	struct record_layer *grown = reallocarray(r->layers, r->n_layers + 1,
						  sizeof(*grown));

	if (!grown)
		return NULL;
	r->layers = grown;
	grown[r->n_layers] = (struct record_layer){ 0 };
	return &grown[r->n_layers++];
}

struct record_skipped *record_add_skipped(struct record *r) {
	struct record_skipped *grown = reallocarray(r->skipped, r->n_skipped + 1,
						    sizeof(*grown));

	if (!grown)
		return NULL;
	r->skipped = grown;
	grown[r->n_skipped] = (struct record_skipped){ 0 };
	return &grown[r->n_skipped++];
}

static bool is_same_text(const char *a, const char *b) {
	return a && b ? strcmp(a, b) == 0 : a == b;
}

bool record_is_same_layer(const struct record_layer *a, const struct record_layer *b) {
	return !a->is_dead && !b->is_dead && is_same_text(a->name, b->name) &&
	       is_same_text(a->version, b->version) && is_same_text(a->path, b->path) &&
	       is_same_text(a->fingerprint, b->fingerprint) &&
	       is_same_text(a->trust, b->trust) &&
	       is_same_text(a->root_hash, b->root_hash) &&
	       is_same_text(a->signer_fingerprint, b->signer_fingerprint) &&
	       is_same_text(a->guard, b->guard) &&
	       is_same_text(a->on_corruption, b->on_corruption);
}

bool record_has_same_layers(const struct record *a, const struct record *b) {
	if (a->n_layers != b->n_layers)
		return false;
	for (size_t i = 0; i < a->n_layers; i++)
		if (!record_is_same_layer(&a->layers[i], &b->layers[i]))
			return false;
	return true;
}

static const char *word(const char *text, const char *otherwise) {
	return text ? text : otherwise;
}

bool record_has_same_form(const struct record *a, const struct record *b) {
	return is_same_text(word(a->mutable, "no"), word(b->mutable, "no")) &&
	       is_same_text(word(a->base, "bottom"), word(b->base, "bottom")) &&
	       a->mutable_given == b->mutable_given && a->base_given == b->base_given &&
	       a->is_noexec == b->is_noexec && is_same_text(a->upper, b->upper) &&
	       is_same_text(a->upper_id, b->upper_id) &&
	       a->is_writable == b->is_writable && a->is_imported == b->is_imported;
}

const struct record_layer *record_find_layer(const struct record *r, const char *name) {
	for (size_t i = 0; i < r->n_layers; i++)
		if (strcmp(r->layers[i].name, name) == 0)
			return &r->layers[i];
	return NULL;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the verbs found, as JSON on stdout. */
#include "json.h"

#include <json-c/json.h>
#include <string.h>
#include <time.h>

#include "file.h"
#include "log.h"
#include "text.h"
#include "transition.h"

struct json_object *json_new(const char *name) {
	_cleanup_free_ char *schema = text_format("extmerge.%s/1", name);
	struct json_object *o = json_object_new_object();

	json_add_text(o, "schema", schema);
	return o;
}

/* json-c frees what it takes, but not what it cannot add. */
static struct json_object *add(struct json_object *o, const char *key,
			       struct json_object *value) {
	int r = !o    ? -1
		: key ? json_object_object_add(o, key, value)
		      : json_object_array_add(o, value);

	if (r == 0)
		return value;
	json_object_put(value);
	log_error("Cannot make all of the JSON output: out of memory");
	return NULL;
}

void json_add_text(struct json_object *o, const char *key, const char *text) {
	/* JSON is UTF-8; control characters json-c escapes by itself, but a name may be any bytes. */
	_cleanup_free_ char *safe = text && !name_is_printable(text) ? text_escape(text)
								     : NULL;

	add(o, key, text ? json_object_new_string(safe ?: text) : NULL);
}

void json_add_number(struct json_object *o, const char *key, int64_t number) {
	add(o, key, json_object_new_int64(number));
}

void json_add_bool(struct json_object *o, const char *key, bool value) {
	add(o, key, json_object_new_boolean(value));
}

struct json_object *json_add_array(struct json_object *o, const char *key) {
	return add(o, key, json_object_new_array());
}

struct json_object *json_add_object(struct json_object *o, const char *key) {
	return add(o, key, json_object_new_object());
}

struct json_object *json_append_object(struct json_object *array) {
	return add(array, NULL, json_object_new_object());
}

void json_add_time(struct json_object *o, const char *key, int64_t seconds) {
	time_t t = (time_t)seconds;
	char text[32];
	struct tm tm;

	if (seconds > 0 && gmtime_r(&t, &tm) &&
	    strftime(text, sizeof(text), "%FT%TZ", &tm) > 0)
		json_add_text(o, key, text);
	else
		json_add_text(o, key, NULL);
}

void json_print(struct json_object *o, enum options_json format) {
	int flags = JSON_C_TO_STRING_NOSLASHESCAPE |
		    (format == JSON_PRETTY ? JSON_C_TO_STRING_PRETTY
					   : JSON_C_TO_STRING_PLAIN);

	puts(json_object_to_json_string_ext(o, flags) ?: "{}");
	json_object_put(o);
}

static void add_verdict(struct json_object *o, const struct verdict *v) {
	struct json_object *reason;

	if (v->code == VERDICT_FITS) {
		json_add_text(o, "reason", NULL);
		return;
	}
	reason = json_add_object(o, "reason");
	json_add_text(reason, "code", verdict_word(v->code));
	json_add_text(reason, "text", v->text);
	json_add_text(reason, "hint", verdict_hint(v->code));
}

/* order.8: who decided where it lies. */
static void add_order(struct json_object *item, const char *placed_by) {
	json_add_text(item, "order", placed_by ? "configuration" : "version");
	json_add_text(item, "order_by", placed_by);
}

static const char *state_word(const struct extension *x) {
	return extension_fits(x)		   ? "fits"
	       : verdict_is_quiet(x->verdict.code) ? verdict_word(x->verdict.code)
						   : "skipped";
}

void json_add_extensions(struct json_object *o, const struct route *r, const char *name) {
	struct json_object *array = json_add_array(o, "extensions");
	struct json_object *problems = json_add_array(o, "problems");
	struct json_object *notes = json_add_array(o, "notes");

	for (size_t i = 0; i < r->extensions.n; i++) {
		const struct extension *x = extensions_shown(&r->extensions, i);
		struct json_object *item;

		if (name && !extension_is_called(x, name))
			continue;
		item = json_append_object(array);
		json_add_text(item, "name", x->name.name);
		json_add_text(item, "version", x->name.version);
		json_add_text(item, "class", x->class->name);
		json_add_text(item, "kind", extension_kind_word(x->kind));
		json_add_text(item, "format", extension_format_word(x));
		json_add_text(item, "path", x->path);
		json_add_number(item, "size", (int64_t)x->size);
		json_add_text(item, "trust", extension_trust_word(x));
		json_add_text(item, "roothash", x->trust.root_hash);
		json_add_text(item, "signer", x->trust.signer);
		json_add_text(item, "signer_fingerprint", x->trust.signer_fingerprint);
		json_add_text(item, "guard", extension_guard_word(x));
		json_add_text(item, "state", state_word(x));
		add_verdict(item, &x->verdict);
		add_order(item, x->placed_by);
		json_add_text(item, "forced", x->forced.text);
		json_add_text(item, "note", x->note);
	}
	for (char **problem = r->found.problems; problem && *problem; problem++)
		json_add_text(problems, NULL, *problem);
	for (char **problem = r->trust.problems; problem && *problem; problem++)
		json_add_text(problems, NULL, *problem);
	for (char **note = r->found.misnamed; note && *note; note++)
		json_add_text(notes, NULL, *note);
	for (char **note = r->absent; note && *note; note++)
		json_add_text(notes, NULL, *note);
}

/* The kernel checks what userspace has checked before, or alone what nobody here knows (trust.14). */
static const char *checker(const struct record_layer *l) {
	if (!l->signer && !l->is_kernel_checked)
		return NULL;
	return l->is_kernel_checked ? "kernel" : "userspace";
}

static const char *on_corruption(const struct record_layer *l) {
	return l->guard ? l->on_corruption ?: "error" : NULL;
}

static void add_layers(struct json_object *o, const struct record *record) {
	struct json_object *array = json_add_array(o, "layers");

	for (size_t i = 0; record && i < record->n_layers; i++) {
		const struct record_layer *l = &record->layers[i];
		struct json_object *item = json_append_object(array);
		struct json_object *hides;

		json_add_text(item, "name", l->name);
		json_add_text(item, "version", l->version);
		json_add_text(item, "path", l->path);
		json_add_text(item, "format", l->format);
		json_add_text(item, "trust", l->trust);
		json_add_text(item, "roothash", l->root_hash);
		json_add_text(item, "signer", l->signer);
		json_add_text(item, "signer_fingerprint", l->signer_fingerprint);
		json_add_text(item, "signature_checked_by", checker(l));
		json_add_text(item, "guard", l->guard);
		json_add_text(item, "on_corruption", on_corruption(l));
		json_add_bool(item, "dead", l->is_dead);
		json_add_number(item, "size", (int64_t)l->size);
		add_order(item, l->placed_by);
		json_add_text(item, "note", l->note);
		hides = json_add_object(item, "hides");
		json_add_number(hides, "host", l->hides_host);
		json_add_number(hides, "extensions", l->hides_others);
		json_add_text(hides, "whose", l->hides);
		json_add_number(item, "hidden_by_host", l->hidden_by_host);
	}
}

static void add_skipped(struct json_object *o, const struct record *record) {
	struct json_object *array = json_add_array(o, "skipped");

	for (size_t i = 0; record && i < record->n_skipped; i++) {
		const struct record_skipped *s = &record->skipped[i];
		const struct verdict v = { s->code, s->text };
		struct json_object *item = json_append_object(array);

		json_add_text(item, "name", s->name);
		json_add_text(item, "version", s->version);
		json_add_text(item, "path", s->path);
		add_verdict(item, &v);
	}
}

/* What may be written, where that goes, and where the host's own files lie. */
static void add_form(struct json_object *o, const struct record *record) {
	json_add_text(o, "mutable", record && record->mutable ? record->mutable : "no");
	json_add_bool(o, "writable", record && record->is_writable);
	json_add_bool(o, "imported", record && record->is_imported);
	json_add_text(o, "upper", record ? record->upper : NULL);
	json_add_text(o, "base", record && record->base ? record->base : "bottom");
	json_add_bool(o, "noexec", record && record->is_noexec);
}

static void add_texts(struct json_object *o, const char *key, char *const *texts) {
	struct json_object *array = json_add_array(o, key);

	for (; texts && *texts; texts++)
		json_add_text(array, NULL, *texts);
}

/* Its number; null where the kernel itself shows the tree. */
static void add_server(struct json_object *o, const struct record *record) {
	if (record && record->server)
		json_add_number(o, "server", strtol(record->server, NULL, 10));
	else
		json_add_text(o, "server", NULL);
}

void json_add_state(struct json_object *o, const struct route *r) {
	static const char *const words[] = { [STATE_PLAIN] = "not-merged",
					     [STATE_MERGED] = "merged",
					     [STATE_COVERED] = "covered",
					     [STATE_PEER] = "foreign" };
	struct json_object *array = json_add_array(o, "hierarchies");

	for (size_t i = 0; i < r->state.n; i++) {
		const struct state_hierarchy *h = &r->state.hierarchies[i];
		_cleanup_free_ char *path = file_join("", h->name);
		struct json_object *item;

		if (!route_has_class(r, h->class))
			continue;
		item = json_append_object(array);
		json_add_text(item, "path", path);
		json_add_text(item, "class", h->class->name);
		json_add_text(item, "state", words[h->kind]);
		json_add_text(item, "by", h->other);
		add_form(item, h->record);
		json_add_number(item, "generation",
				h->record ? (int64_t)h->record->generation : 0);
		json_add_time(item, "since", h->record ? h->record->since : 0);
		json_add_text(item, "backend", h->record ? h->record->backend : NULL);
		json_add_text(item, "backend_why",
			      h->record ? h->record->backend_why : NULL);
		add_server(item, h->record);
		json_add_text(item, "io", h->record ? h->record->io : NULL);
		add_texts(item, "grafts", h->record ? h->record->grafts : NULL);
		add_texts(item, "grafts_failed",
			  h->record ? h->record->grafts_failed : NULL);
		json_add_bool(item, "dead", h->is_dead);
		json_add_text(item, "layers_by", h->record ? h->record->layers_by : NULL);
		json_add_number(item, "gap_us", h->record ? h->record->gap : 0);
		json_add_number(item, "pause_us", h->record ? h->record->pause : 0);
		json_add_number(item, "stacked", h->stacked);
		json_add_number(item, "mount_id",
				h->kind == STATE_MERGED ? (int64_t)mount_unique_id(h->fd)
							: 0);
		add_layers(item, h->record);
		add_skipped(item, h->record);
	}
}

static void add_changes(struct json_object *o, const struct plan *p) {
	struct json_object *array = json_add_array(o, "changes");

	for (size_t i = 0; i < p->n_changes; i++) {
		const struct plan_change *c = &p->changes[i];
		struct json_object *item = json_append_object(array);

		json_add_text(item, "change", plan_change_word(c->kind));
		json_add_text(item, "name", (c->wanted ?: c->old)->name);
		json_add_text(item, "class", c->class->name);
		json_add_text(item, "from", c->old ? c->old->version : NULL);
		json_add_text(item, "to", c->wanted ? c->wanted->version : NULL);
	}
}

void json_add_plan(struct json_object *o, const struct route *r) {
	struct json_object *array;

	json_add_number(o, "gap_us", r->gap);
	add_changes(o, &r->plan);
	array = json_add_array(o, "steps");
	for (size_t i = 0; i < r->plan.n_steps; i++) {
		const struct plan_step *s = &r->plan.steps[i];
		_cleanup_free_ char *path = s->hierarchy ? file_join("", s->hierarchy)
							 : NULL;
		_cleanup_free_ char *obstacle = transition_obstacle(r, i);
		struct json_object *item;

		if (s->action == PLAN_NOTHING)
			continue;
		item = json_append_object(array);
		json_add_text(item, "hierarchy", path);
		json_add_text(item, "action", plan_action_word(s->action));
		json_add_text(item, "obstacle", obstacle);
		add_form(item, s->wanted);
		json_add_text(item, "backend", s->wanted ? s->wanted->backend : NULL);
		json_add_text(item, "backend_why",
			      s->wanted ? s->wanted->backend_why : NULL);
		add_layers(item, s->wanted);
	}
}

void json_add_hooks(struct json_object *o, const struct route *r) {
	struct json_object *array = json_add_array(o, "hooks");

	for (size_t i = 0; i < r->hooks.n; i++) {
		const struct hook_result *result = &r->hooks.items[i];
		struct json_object *item = json_append_object(array);

		json_add_text(item, "name", result->name);
		json_add_text(item, "program", result->program);
		json_add_bool(item, "ok", !result->why);
		json_add_text(item, "reason", result->why);
	}
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The text form of a record, one JSON object. */
#include "record.h"

#include <json-c/json.h>
#include <string.h>

#include "strv.h"

#define RECORD_SCHEMA "extmerge.record/1"
#define RECORD_DEPTH 8

/* The text form is driven by tables: one row per member, read by both directions. */

enum member_type {
	MEMBER_TEXT,
	MEMBER_UINT32,
	MEMBER_UINT64,
	MEMBER_BOOL,
	MEMBER_VERDICT,
	MEMBER_STRV
};

struct member {
	const char *key;
	enum member_type type;
	size_t offset;
};

static const struct member record_members[] = {
	{ "hierarchy", MEMBER_TEXT, offsetof(struct record, hierarchy) },
	{ "service", MEMBER_TEXT, offsetof(struct record, service) },
	{ "generation", MEMBER_UINT64, offsetof(struct record, generation) },
	{ "since", MEMBER_UINT64, offsetof(struct record, since) },
	{ "with", MEMBER_TEXT, offsetof(struct record, with) },
	{ "kept", MEMBER_TEXT, offsetof(struct record, kept) },
	{ "inputs", MEMBER_TEXT, offsetof(struct record, inputs) },
	{ "backend", MEMBER_TEXT, offsetof(struct record, backend) },
	{ "backend_why", MEMBER_TEXT, offsetof(struct record, backend_why) },
	{ "server", MEMBER_TEXT, offsetof(struct record, server) },
	{ "io", MEMBER_TEXT, offsetof(struct record, io) },
	{ "layers_by", MEMBER_TEXT, offsetof(struct record, layers_by) },
	{ "grafts_most", MEMBER_UINT32, offsetof(struct record, grafts_most) },
	{ "grafts", MEMBER_STRV, offsetof(struct record, grafts) },
	{ "grafts_failed", MEMBER_STRV, offsetof(struct record, grafts_failed) },
	{ "gap", MEMBER_UINT64, offsetof(struct record, gap) },
	{ "mutable", MEMBER_TEXT, offsetof(struct record, mutable) },
	{ "mutable_given", MEMBER_BOOL, offsetof(struct record, mutable_given) },
	{ "base", MEMBER_TEXT, offsetof(struct record, base) },
	{ "base_given", MEMBER_BOOL, offsetof(struct record, base_given) },
	{ "upper", MEMBER_TEXT, offsetof(struct record, upper) },
	{ "upper_id", MEMBER_TEXT, offsetof(struct record, upper_id) },
	{ "work", MEMBER_TEXT, offsetof(struct record, work) },
	{ "memory_id", MEMBER_TEXT, offsetof(struct record, memory_id) },
	{ "writable", MEMBER_BOOL, offsetof(struct record, is_writable) },
	{ "imported", MEMBER_BOOL, offsetof(struct record, is_imported) },
	{ "pause", MEMBER_UINT64, offsetof(struct record, pause) },
	{ "noexec", MEMBER_BOOL, offsetof(struct record, is_noexec) },
	{ "created", MEMBER_BOOL, offsetof(struct record, created) },
	{ NULL, 0, 0 },
};

static const struct member layer_members[] = {
	{ "name", MEMBER_TEXT, offsetof(struct record_layer, name) },
	{ "version", MEMBER_TEXT, offsetof(struct record_layer, version) },
	{ "path", MEMBER_TEXT, offsetof(struct record_layer, path) },
	{ "format", MEMBER_TEXT, offsetof(struct record_layer, format) },
	{ "fingerprint", MEMBER_TEXT, offsetof(struct record_layer, fingerprint) },
	{ "trust", MEMBER_TEXT, offsetof(struct record_layer, trust) },
	{ "root_hash", MEMBER_TEXT, offsetof(struct record_layer, root_hash) },
	{ "signer", MEMBER_TEXT, offsetof(struct record_layer, signer) },
	{ "signer_fingerprint", MEMBER_TEXT,
	  offsetof(struct record_layer, signer_fingerprint) },
	{ "kernel_checked", MEMBER_BOOL,
	  offsetof(struct record_layer, is_kernel_checked) },
	{ "guard", MEMBER_TEXT, offsetof(struct record_layer, guard) },
	{ "on_corruption", MEMBER_TEXT, offsetof(struct record_layer, on_corruption) },
	{ "server", MEMBER_TEXT, offsetof(struct record_layer, server) },
	{ "placed_by", MEMBER_TEXT, offsetof(struct record_layer, placed_by) },
	{ "note", MEMBER_TEXT, offsetof(struct record_layer, note) },
	{ "size", MEMBER_UINT64, offsetof(struct record_layer, size) },
	{ "hidden_by_host", MEMBER_UINT32, offsetof(struct record_layer, hidden_by_host) },
	{ "hides_host", MEMBER_UINT32, offsetof(struct record_layer, hides_host) },
	{ "hides_others", MEMBER_UINT32, offsetof(struct record_layer, hides_others) },
	{ "hides", MEMBER_TEXT, offsetof(struct record_layer, hides) },
	{ "triggers", MEMBER_TEXT, offsetof(struct record_layer, triggers) },
	{ "restart", MEMBER_TEXT, offsetof(struct record_layer, restart) },
	{ "reload", MEMBER_TEXT, offsetof(struct record_layer, reload) },
	{ NULL, 0, 0 },
};

static const struct member skipped_members[] = {
	{ "name", MEMBER_TEXT, offsetof(struct record_skipped, name) },
	{ "version", MEMBER_TEXT, offsetof(struct record_skipped, version) },
	{ "path", MEMBER_TEXT, offsetof(struct record_skipped, path) },
	{ "code", MEMBER_VERDICT, offsetof(struct record_skipped, code) },
	{ "text", MEMBER_TEXT, offsetof(struct record_skipped, text) },
	{ NULL, 0, 0 },
};

static json_object *print_strv(char *const *texts) {
	json_object *array = json_object_new_array();

	for (; array && *texts; texts++) {
		json_object *text = json_object_new_string(*texts);

		if (text && json_object_array_add(array, text) == 0)
			continue;
		json_object_put(text);
		json_object_put(array);
		array = NULL;
	}
	return array;
}

/* The value of a member as JSON, NULL for what is absent or ran out of memory. */
static json_object *print_member(const void *at, enum member_type type) {
	switch (type) {
	case MEMBER_TEXT:
		return *(char *const *)at ? json_object_new_string(*(char *const *)at)
					  : NULL;
	case MEMBER_UINT32:
		return json_object_new_int64(*(const uint32_t *)at);
	case MEMBER_UINT64:
		return json_object_new_int64((int64_t) * (const uint64_t *)at);
	case MEMBER_BOOL:
		return json_object_new_boolean(*(const bool *)at);
	case MEMBER_VERDICT:
		return json_object_new_string(
			verdict_word(*(const enum verdict_code *)at));
	case MEMBER_STRV:
		return print_strv(*(char *const *const *)at);
	}
	return NULL;
}

static int print_members(json_object *o, const void *data, const struct member *m) {
	for (; m->key; m++) {
		const char *at = (const char *)data + m->offset;
		json_object *value;

		if ((m->type == MEMBER_TEXT || m->type == MEMBER_STRV) &&
		    !*(void *const *)at)
			continue;
		value = print_member(at, m->type);
		if (!value || json_object_object_add(o, m->key, value) < 0)
			return -ENOMEM;
	}
	return 0;
}

static int print_array(json_object *o, const char *key, const void *items, size_t n,
		       size_t size, const struct member *m) {
	json_object *array = json_object_new_array();
	int r = array ? json_object_object_add(o, key, array) : -1;

	for (size_t i = 0; r == 0 && i < n; i++) {
		json_object *item = json_object_new_object();

		r = item ? json_object_array_add(array, item) : -1;
		if (r == 0)
			r = print_members(item, (const char *)items + i * size, m);
	}
	return r < 0 ? -ENOMEM : 0;
}

int record_print(const struct record *r, char **ret) {
	json_object *o = json_object_new_object();
	char *text = NULL;
	int e = o ? 0 : -ENOMEM;

	if (e == 0)
		e = json_object_object_add(o, "schema",
					   json_object_new_string(RECORD_SCHEMA));
	if (e == 0)
		e = json_object_object_add(o, "class",
					   json_object_new_string(r->class->name));
	if (e == 0)
		e = print_members(o, r, record_members);
	if (e == 0)
		e = print_array(o, "layers", r->layers, r->n_layers, sizeof(*r->layers),
				layer_members);
	if (e == 0)
		e = print_array(o, "skipped", r->skipped, r->n_skipped,
				sizeof(*r->skipped), skipped_members);
	if (e == 0) {
		const char *printed =
			json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN);

		text = printed ? strdup(printed) : NULL;
	}
	json_object_put(o);
	if (!text)
		return -ENOMEM;
	*ret = text;
	return 0;
}

static enum verdict_code verdict_from_word(const char *word) {
	for (int code = 0; code < VERDICT_COUNT; code++)
		if (strcmp(verdict_word(code), word) == 0)
			return code;
	return VERDICT_UNSUPPORTED; /* a word of a newer version */
}

/* A text without a NUL in it. */
static bool is_text(json_object *value) {
	return json_object_is_type(value, json_type_string) &&
	       strlen(json_object_get_string(value)) ==
		       (size_t)json_object_get_string_len(value);
}

static int parse_strv(json_object *array, char ***ret) {
	size_t n = json_object_array_length(array);
	int r = 0;

	strv_free(*ret);
	*ret = NULL;
	for (size_t i = 0; r == 0 && i < n; i++) {
		json_object *text = json_object_array_get_idx(array, i);

		r = is_text(text) ? strv_append(ret, json_object_get_string(text))
				  : -EBADMSG;
	}
	return r;
}

static int parse_member(json_object *value, void *at, enum member_type type) {
	static const enum json_type wanted[] = {
		[MEMBER_TEXT] = json_type_string,    [MEMBER_UINT32] = json_type_int,
		[MEMBER_UINT64] = json_type_int,     [MEMBER_BOOL] = json_type_boolean,
		[MEMBER_VERDICT] = json_type_string, [MEMBER_STRV] = json_type_array,
	};

	if (!json_object_is_type(value, wanted[type]))
		return -EBADMSG;
	switch (type) {
	case MEMBER_TEXT:
		if (!is_text(value))
			return -EBADMSG;
		free(*(char **)at);
		*(char **)at = strdup(json_object_get_string(value));
		return *(char **)at ? 0 : -ENOMEM;
	case MEMBER_UINT32: /* what does not fit 64 bits comes as their least or greatest */
		if (json_object_get_int64(value) < 0 ||
		    json_object_get_int64(value) > UINT32_MAX)
			return -EBADMSG;
		*(uint32_t *)at = (uint32_t)json_object_get_int64(value);
		return 0;
	case MEMBER_UINT64:
		*(uint64_t *)at = (uint64_t)json_object_get_int64(value);
		return 0;
	case MEMBER_BOOL:
		*(bool *)at = json_object_get_boolean(value);
		return 0;
	case MEMBER_VERDICT:
		*(enum verdict_code *)at =
			verdict_from_word(json_object_get_string(value));
		return 0;
	case MEMBER_STRV:
		return parse_strv(value, at);
	}
	return -EBADMSG;
}

static int parse_members(json_object *o, void *data, const struct member *m) {
	for (; m->key; m++) {
		json_object *value;
		int r;

		if (!json_object_object_get_ex(o, m->key, &value))
			continue;
		r = parse_member(value, (char *)data + m->offset, m->type);
		if (r < 0)
			return r;
	}
	return 0;
}

/* The array `key`, NULL where it is absent. */
static int get_array(json_object *o, const char *key, json_object **ret, size_t *ret_n) {
	if (json_object_object_get_ex(o, key, ret) &&
	    !json_object_is_type(*ret, json_type_array))
		return -EBADMSG;
	*ret_n = *ret ? json_object_array_length(*ret) : 0;
	return 0;
}

static int parse_layers(json_object *o, struct record *record) {
	json_object *array;
	size_t n = 0;
	int r = get_array(o, "layers", &array, &n);

	for (size_t i = 0; r == 0 && i < n; i++) {
		struct record_layer *l = record_add_layer(record);

		r = l ? parse_members(json_object_array_get_idx(array, i), l,
				      layer_members)
		      : -ENOMEM;
		if (r == 0 && !l->name)
			r = -EBADMSG;
	}
	return r;
}

static int parse_skipped(json_object *o, struct record *record) {
	json_object *array;
	size_t n = 0;
	int r = get_array(o, "skipped", &array, &n);

	for (size_t i = 0; r == 0 && i < n; i++) {
		struct record_skipped *s = record_add_skipped(record);

		r = s ? parse_members(json_object_array_get_idx(array, i), s,
				      skipped_members)
		      : -ENOMEM;
		if (r == 0 && !s->name)
			r = -EBADMSG;
	}
	return r;
}

static const char *get_text(json_object *o, const char *key) {
	json_object *value;

	if (!json_object_object_get_ex(o, key, &value))
		return "";
	return json_object_get_string(value) ?: "";
}

/* hierarchy.1: one of its own, or one that no class has. */
static bool has_hierarchy(const struct class *class, const char *name) {
	const struct class *own = hierarchy_name_class(name);
	const char *why;

	return own ? own == class : hierarchy_name_check(name, &why) == 0;
}

static int parse_object(json_object *o, struct record **ret) {
	_cleanup_(record_freep) struct record *record = NULL;
	const struct class *class = class_find(get_text(o, "class"));
	int r;

	if (!class || strcmp(get_text(o, "schema"), RECORD_SCHEMA) != 0)
		return -EBADMSG;
	record = record_new(class, "");
	if (!record)
		return -ENOMEM;
	r = parse_members(o, record, record_members);
	if (r == 0 && !has_hierarchy(class, record->hierarchy))
		r = -EBADMSG;
	if (r == 0)
		r = parse_layers(o, record);
	if (r == 0)
		r = parse_skipped(o, record);
	if (r == 0)
		*ret = TAKE_PTR(record);
	return r;
}

int record_parse(const char *text, size_t len, struct record **ret) {
	json_tokener *tokener = json_tokener_new_ex(RECORD_DEPTH);
	json_object *o;
	int r = -EBADMSG;

	if (!tokener)
		return -ENOMEM;
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT); /* nothing may follow */
	if (len > INT32_MAX || memchr(text, '\0', len))
		len = 0; /* which is no JSON */
	o = json_tokener_parse_ex(tokener, text, (int)len);
	if (json_object_is_type(o, json_type_object))
		r = parse_object(o, ret);
	json_object_put(o);
	json_tokener_free(tokener);
	return r;
}

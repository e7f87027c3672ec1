/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* extmerge diff: what was written in the merged trees. */
#include <string.h>

#include "../file.h"
#include "../json.h"
#include "../log.h"
#include "../table.h"
#include "../text.h"
#include "../uppers.h"
#include "../written.h"
#include "verbs.h"

enum { DIFF_CHANGE, DIFF_PATH, DIFF_TYPE, DIFF_SIZE, DIFF_LAYER, DIFF_WHAT };

static const struct table_column columns[] = {
	{ "CHANGE", 0 }, { "PATH", 0 }, { "TYPE", 0 }, { "SIZE", TABLE_RIGHT },
	{ "OVER", 0 },	 { "WHAT", 0 }, { NULL, 0 },
};

/* Where the changes of one hierarchy go: to one of the two. */
struct output {
	const char *hierarchy;
	struct table *table;
	struct json_object *array;
	size_t n[WRITTEN_REMOVED + 1];
};

/* Whose file lies below: "host", the name of an extension, or NULL where there is none. */
static const char *name_below(const struct written_change *c) {
	if (!c->below)
		return NULL;
	return c->is_imported ? "import" : c->own ? c->own->name.name : "host";
}

/* "content, mode". NULL where memory ran out. */
static char *name_whats(const struct written_change *c) {
	const char *words[WRITTEN_WHATS + 1] = { NULL };
	char *text = NULL;

	for (size_t i = 0; i < WRITTEN_WHATS; i++)
		if (c->what & 1u << i)
			words[i] = written_what_word((enum written_what)(1u << i));
	if (c->is_opaque)
		words[WRITTEN_WHATS] = "hides all below";
	if (text_join(", ", words, ARRAY_SIZE(words), &text) < 0)
		return NULL;
	return text ?: strdup("");
}

static int print_change(const struct output *o, const struct written_change *c) {
	struct table_line *line = table_add(o->table, NULL);
	_cleanup_free_ char *whats = name_whats(c);
	_cleanup_free_ char *path = text_format("/%s/%s", o->hierarchy, c->path);

	if (!path || !whats)
		return -ENOMEM;
	table_set(line, DIFF_CHANGE, written_kind_word(c->kind));
	table_set(line, DIFF_PATH, path);
	table_set(line, DIFF_TYPE, written_type_word(c->st.st_mode));
	if (S_ISREG(c->st.st_mode))
		table_set_size(line, DIFF_SIZE, (uint64_t)c->st.st_size);
	table_set(line, DIFF_LAYER, name_below(c));
	table_set(line, DIFF_WHAT, whats);
	return 0;
}

static int add_change(const struct output *o, const struct written_change *c) {
	_cleanup_free_ char *path = text_format("/%s/%s", o->hierarchy, c->path);
	struct json_object *item = json_append_object(o->array), *what;

	if (!path)
		return -ENOMEM;
	json_add_text(item, "change", written_kind_word(c->kind));
	json_add_text(item, "path", path);
	json_add_text(item, "type", written_type_word(c->st.st_mode));
	json_add_number(item, "size", S_ISREG(c->st.st_mode) ? c->st.st_size : 0);
	json_add_text(item, "over", name_below(c));
	json_add_text(item, "over_version", c->own ? c->own->name.version : NULL);
	json_add_bool(item, "hides_below", c->is_opaque);
	what = json_add_array(item, "what");
	for (size_t i = 0; i < WRITTEN_WHATS; i++)
		if (c->what & 1u << i)
			json_add_text(what, NULL,
				      written_what_word((enum written_what)(1u << i)));
	return 0;
}

static int take(const struct written_change *c, void *data) {
	struct output *o = data;

	o->n[c->kind]++;
	return o->array ? add_change(o, c) : print_change(o, c);
}

static enum exit_code fail(const struct state_hierarchy *h, int error) {
	if (error == -EXDEV)
		log_error("Cannot tell what was written in /%s: it goes to the host's own "
			  "directory",
			  h->name);
	else if (error == -ESTALE)
		log_error("Cannot find what was written in /%s: %s is not the directory that it "
			  "was merged with",
			  h->name, h->record->upper ?: "its directory");
	else
		log_error("Cannot look at what was written in /%s: %s", h->name,
			  strerror(-error));
	return route_code(error);
}

static struct json_object *add_hierarchy(struct json_object *array,
					 const struct state_hierarchy *h) {
	_cleanup_free_ char *path = file_join("", h->name);
	struct json_object *item = json_append_object(array);

	json_add_text(item, "path", path);
	json_add_text(item, "class", h->class->name);
	json_add_text(item, "mutable", h->record->mutable);
	json_add_text(item, "upper", h->record->upper);
	return json_add_array(item, "changes");
}

/* written.4: the names are those of the layers as they are now. */
static void warn_changed(const struct route *r, size_t i) {
	if (r->wanted[i] &&
	    record_has_same_layers(r->state.hierarchies[i].record, r->wanted[i]))
		return;
	if (!r->is_settled[r->state.hierarchies[i].class->id])
		log_warning(
			"The extensions of /%s have changed since it was merged: what was "
			"written is compared with what a refresh would merge",
			r->state.hierarchies[i].name);
}

static enum exit_code show(const struct route *r, size_t i, struct output *o,
			   struct json_object *array) {
	const struct state_hierarchy *h = &r->state.hierarchies[i];
	_cleanup_close_ int upper = uppers_open_merged(r, i);
	int e;

	if (upper == -ENODATA || !route_has_class(r, h->class))
		return EXIT_DONE;
	if (upper < 0)
		return fail(h, upper);
	warn_changed(r, i);
	o->hierarchy = h->name;
	o->array = array ? add_hierarchy(array, h) : NULL;
	e = written_walk(&r->hierarchies[i], upper, take, o);
	return e < 0 ? fail(h, e) : EXIT_DONE;
}

static bool is_writable(const struct route *r) {
	for (size_t i = 0; i < r->state.n; i++)
		if (route_has_class(r, r->state.hierarchies[i].class) &&
		    r->state.hierarchies[i].record &&
		    r->state.hierarchies[i].record->is_writable)
			return true;
	return false;
}

static enum exit_code show_all(const struct route *r) {
	struct json_object *json = r->options->json == JSON_OFF ? NULL : json_new("diff");
	struct json_object *array = json ? json_add_array(json, "hierarchies") : NULL;
	struct output o = { .table = json ? NULL : table_new(r->options, columns) };
	enum exit_code code = EXIT_DONE;

	for (size_t i = 0; code == EXIT_DONE && i < r->state.n; i++)
		code = show(r, i, &o, array);
	if (json) {
		json_print(json, r->options->json);
		return code;
	}
	table_print(o.table);
	if (code == EXIT_DONE && r->options->legend && !is_writable(r))
		puts("Nothing is merged that can be written.");
	else if (code == EXIT_DONE && r->options->legend)
		printf("%zu added, %zu changed, %zu removed.\n", o.n[WRITTEN_ADDED],
		       o.n[WRITTEN_CHANGED], o.n[WRITTEN_REMOVED]);
	return code;
}

static enum exit_code run(const struct options *o) {
	struct route r;
	enum exit_code code = route_survey(&r, o);

	if (code == EXIT_DONE && !r.is_privileged) {
		log_error("Cannot look at what was written: root is needed");
		code = EXIT_PRIVILEGE;
	}
	if (code == EXIT_DONE)
		code = show_all(&r);
	route_done(&r);
	return code;
}

const struct verb verb_diff = {
	.name = "diff",
	.help = "Show what was written in merged trees, and over what",
	.run = run,
};

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* extmerge config: what is configured, and which file says so. */
#include "../configure.h"
#include "../file.h"
#include "../json.h"
#include "../text.h"
#include "verbs.h"

/* A text from outside, for a terminal, with something in front and behind. */
static void say(const char *before, const char *text, const char *behind) {
	_cleanup_free_ char *escaped = text ? text_escape(text) : NULL;

	printf("%s%s%s", before, escaped ?: "(out of memory)", behind);
}

static void print_files(const struct config *c) {
	puts(c->n_files > 0 ? "# Files, the last one says most:"
			    : "# There is no configuration file.");
	for (size_t i = 0; i < c->n_files; i++)
		say("#   ", c->files[i].path, c->files[i].is_mask ? "  (mask)\n" : "\n");
}

/* json.config: what is printed may be put into a file, and says the same there. */
static void print_settings(const struct settings *s, const struct class *class,
			   enum settings_scope scope) {
	for (size_t k = 0; k < SETTINGS_KEY_COUNT; k++) {
		_cleanup_free_ char *value = NULL, *origin = NULL;

		if (!settings_key_is_of((enum settings_key)k, scope))
			continue;
		value = settings_value(s, (enum settings_key)k, class);
		origin = settings_origin_text(&s->origins[k]);
		printf("%s", settings_key_name((enum settings_key)k));
		say("=", value, "");
		say("  # ", origin, "\n");
	}
}

static void print_text(const struct route *r) {
	if (r->options->legend)
		print_files(&r->config);
	for (size_t c = 0; c < CLASS_COUNT; c++) {
		if (!route_has_class(r, &classes[c]))
			continue;
		printf("\n[%s]\n", classes[c].name);
		print_settings(&r->config.of[c], &classes[c], SETTINGS_OF_CLASS);
	}
	for (size_t i = 0; i < r->config.n_hierarchies; i++) {
		const struct config_hierarchy *h = &r->config.hierarchies[i];

		if (!route_has_class(r, h->class))
			continue;
		printf("\n[" SETTINGS_HIERARCHY " /%s]\n", h->name);
		print_settings(&h->settings, h->class, SETTINGS_OF_HIERARCHY);
	}
}

static void add_setting(struct json_object *array, const struct settings *s,
			const struct class *class, const char *hierarchy,
			enum settings_key key) {
	static const char *const sources[] = { [SETTINGS_DEFAULT] = "default",
					       [SETTINGS_FILE] = "file",
					       [SETTINGS_COMMAND_LINE] = "command-line" };
	const struct settings_origin *o = &s->origins[key];
	_cleanup_free_ char *value = settings_value(s, key, class);
	_cleanup_free_ char *path = hierarchy ? file_join("", hierarchy) : NULL;
	struct json_object *item = json_append_object(array);

	json_add_text(item, "class", class->name);
	json_add_text(item, "hierarchy", path);
	json_add_text(item, "key", settings_key_name(key));
	json_add_text(item, "value", value);
	json_add_text(item, "source", sources[o->source]);
	json_add_text(item, "path", o->path);
	if (o->source == SETTINGS_FILE)
		json_add_number(item, "line", o->line);
	else
		json_add_text(item, "line", NULL);
}

/* Of a class where `hierarchy` is NULL, otherwise of the hierarchy. */
static void add_settings(struct json_object *array, const struct settings *s,
			 const struct class *class, const char *hierarchy) {
	enum settings_scope scope = hierarchy ? SETTINGS_OF_HIERARCHY : SETTINGS_OF_CLASS;

	for (size_t k = 0; k < SETTINGS_KEY_COUNT; k++)
		if (settings_key_is_of((enum settings_key)k, scope))
			add_setting(array, s, class, hierarchy, (enum settings_key)k);
}

static void print_json(const struct route *r) {
	struct json_object *o = json_new("config"), *array;

	array = json_add_array(o, "settings");
	for (size_t c = 0; c < CLASS_COUNT; c++)
		if (route_has_class(r, &classes[c]))
			add_settings(array, &r->config.of[c], &classes[c], NULL);
	for (size_t i = 0; i < r->config.n_hierarchies; i++) {
		const struct config_hierarchy *h = &r->config.hierarchies[i];

		if (route_has_class(r, h->class))
			add_settings(array, &h->settings, h->class, h->name);
	}
	array = json_add_array(o, "files");
	for (size_t i = 0; i < r->config.n_files; i++) {
		struct json_object *item = json_append_object(array);

		json_add_text(item, "path", r->config.files[i].path);
		json_add_bool(item, "mask", r->config.files[i].is_mask);
	}
	array = json_add_array(o, "warnings");
	for (char **w = r->config.warnings; w && *w; w++)
		json_add_text(array, NULL, *w);
	json_print(o, r->options->json);
}

static enum exit_code run(const struct options *o) {
	struct route r;
	enum exit_code code = route_open(&r, o);

	if (code == EXIT_DONE)
		code = route_enter(&r);
	if (code == EXIT_DONE)
		code = configure(&r);
	if (code == EXIT_DONE && o->json != JSON_OFF)
		print_json(&r);
	else if (code == EXIT_DONE)
		print_text(&r);
	route_done(&r);
	return code;
}

const struct verb verb_config = {
	.name = "config",
	.help = "Show what is configured, and which file says so",
	.run = run,
};

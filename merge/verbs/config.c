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

		if (h->class && !route_has_class(r, h->class))
			continue;
		printf("\n[" SETTINGS_HIERARCHY " /%s]\n", h->name);
		print_settings(&h->settings, h->class, SETTINGS_OF_HIERARCHY);
	}
	for (size_t i = 0; i < r->config.n_extensions; i++) {
		const struct config_extension *x = &r->config.extensions[i];

		say("\n[" SETTINGS_EXTENSION " ", x->name, "]\n");
		print_settings(&x->settings, NULL, SETTINGS_OF_EXTENSION);
	}
}

/* Of whom a setting is; NULL is nobody. */
struct subject {
	enum settings_scope scope;
	const struct class *class;
	const char *hierarchy, *extension;
};

static void add_setting(struct json_object *array, const struct settings *s,
			const struct subject *of, enum settings_key key) {
	static const char *const sources[] = { [SETTINGS_DEFAULT] = "default",
					       [SETTINGS_FILE] = "file",
					       [SETTINGS_COMMAND_LINE] = "command-line",
					       [SETTINGS_KEPT] = "kept" };
	const struct settings_origin *o = &s->origins[key];
	_cleanup_free_ char *value = settings_value(s, key, of->class);
	_cleanup_free_ char *path = of->hierarchy ? file_join("", of->hierarchy) : NULL;
	struct json_object *item = json_append_object(array);

	json_add_text(item, "class", of->class ? of->class->name : NULL);
	json_add_text(item, "hierarchy", path);
	json_add_text(item, "extension", of->extension);
	json_add_text(item, "key", settings_key_name(key));
	json_add_text(item, "value", value);
	json_add_text(item, "source", sources[o->source]);
	json_add_text(item, "path", o->path);
	if (o->source == SETTINGS_FILE)
		json_add_number(item, "line", o->line);
	else
		json_add_text(item, "line", NULL);
}

static void add_settings(struct json_object *array, const struct settings *s,
			 const struct subject *of) {
	for (size_t k = 0; k < SETTINGS_KEY_COUNT; k++)
		if (settings_key_is_of((enum settings_key)k, of->scope))
			add_setting(array, s, of, (enum settings_key)k);
}

static void add_all_settings(struct json_object *array, const struct route *r) {
	for (size_t c = 0; c < CLASS_COUNT; c++)
		if (route_has_class(r, &classes[c]))
			add_settings(array, &r->config.of[c],
				     &(struct subject){ .scope = SETTINGS_OF_CLASS,
							.class = &classes[c] });
	for (size_t i = 0; i < r->config.n_hierarchies; i++) {
		const struct config_hierarchy *h = &r->config.hierarchies[i];

		if (!h->class || route_has_class(r, h->class))
			add_settings(array, &h->settings,
				     &(struct subject){ .scope = SETTINGS_OF_HIERARCHY,
							.class = h->class,
							.hierarchy = h->name });
	}
	for (size_t i = 0; i < r->config.n_extensions; i++) {
		const struct config_extension *x = &r->config.extensions[i];

		add_settings(array, &x->settings,
			     &(struct subject){ .scope = SETTINGS_OF_EXTENSION,
						.extension = x->name });
	}
}

static void print_json(const struct route *r) {
	struct json_object *o = json_new("config"), *array;

	add_all_settings(json_add_array(o, "settings"), r);
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

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One assignment of a configuration file. */
#include "confvalue.h"

#include <string.h>

#include "hierarchyname.h"
#include "strv.h"
#include "text.h"

int confvalue_complain(char ***to, const char *path, unsigned line, char *sentence) {
	_cleanup_free_ char *owned = sentence, *text = NULL;

	if (!sentence)
		return -ENOMEM;
	text = line ? text_format("%s:%u: %s", path, line, sentence)
		    : text_format("%s: %s", path, sentence);
	return text ? strv_append(to, text) : -ENOMEM;
}

static int refuse(const struct confvalue *v, char *sentence) {
	return confvalue_complain(&v->config->errors, v->path, v->entry->line, sentence);
}

static int warn(const struct confvalue *v, char *sentence) {
	return confvalue_complain(&v->config->warnings, v->path, v->entry->line, sentence);
}

static bool has_section(const struct confvalue *v, struct settings_section *ret) {
	return v->entry->section && settings_section_from(v->entry->section, ret) == 0;
}

unsigned confvalue_rank(const struct confvalue *v) {
	struct settings_section s;

	return has_section(v, &s) ? settings_section_rank(&s) : 0;
}

/* "; did you mean 'Trust'?", or nothing. NULL where memory ran out. */
static char *suggest(const char *word, const char *const *words) {
	const char *nearest = text_nearest(word, words);

	return nearest ? text_format("; did you mean '%s'?", nearest) : strdup("");
}

static int warn_section(const struct confvalue *v) {
	_cleanup_free_ char *nearest = NULL, *word = NULL;

	if (!v->entry->section)
		return warn(v, text_format("%s= is ignored, as it stands in no "
					   "section; that would be [" SETTINGS_SECTION "]",
					   v->entry->key));
	if (strcmp(v->entry->section, SETTINGS_HIERARCHY) == 0 ||
	    strcmp(v->entry->section, SETTINGS_EXTENSION) == 0)
		return warn(v, text_format("%s= is ignored, as [%s] does not say which",
					   v->entry->key, v->entry->section));
	word = strndup(v->entry->section, strcspn(v->entry->section, " "));
	nearest = word ? suggest(word, settings_sections) : NULL;
	return warn(v,
		    nearest ? text_format("%s= is ignored, as there is no section [%s]%s",
					  v->entry->key, v->entry->section, nearest)
			    : NULL);
}

/* hierarchy.2: whether the section is about one that there may be: 1; otherwise 0 after an error, or -ENOMEM. */
static int check_hierarchy(const struct confvalue *v, const char *path) {
	const char *why = "it does not start with a slash";
	struct config_hierarchy *h;

	if (*path == '/' && hierarchy_name_check(path + 1, &why) == 0) {
		h = config_add_hierarchy(v->config, path + 1);
		if (!h)
			return -ENOMEM;
		h->line = h->path ? h->line : v->entry->line;
		h->path = h->path ?: v->path;
		return 1;
	}
	return refuse(v, text_format("%s cannot be a hierarchy: %s", path, why));
}

static int warn_key(const struct confvalue *v, enum settings_scope scope) {
	const char *keys[SETTINGS_KEY_COUNT + 1];
	_cleanup_free_ char *nearest = NULL;

	if (settings_key_from(v->entry->key) >= 0)
		return warn(v, text_format("%s= is ignored, as it is no key of [%s]",
					   v->entry->key, v->entry->section));
	settings_keys_of(scope, keys);
	nearest = suggest(v->entry->key, keys);
	return warn(v, nearest ? text_format("%s= is ignored, as there is no such key%s",
					     v->entry->key, nearest)
			       : NULL);
}

int confvalue_find_key(const struct confvalue *v, enum settings_key *ret) {
	struct settings_section s;
	int key = settings_key_from(v->entry->key);

	if (!has_section(v, &s))
		return warn_section(v);
	if (key < 0 || !settings_key_is_of((enum settings_key)key, s.scope))
		return warn_key(v, s.scope);
	*ret = (enum settings_key)key;
	return s.scope == SETTINGS_OF_HIERARCHY ? check_hierarchy(v, s.name) : 1;
}

/* The extension that a section is about; NULL where memory ran out. */
static struct config_extension *add_extension(struct config *c, const char *name) {
	struct config_extension *grown;

	for (size_t i = 0; i < c->n_extensions; i++)
		if (strcmp(c->extensions[i].name, name) == 0)
			return &c->extensions[i];
	grown = reallocarray(c->extensions, c->n_extensions + 1, sizeof(*grown));
	if (!grown)
		return NULL;
	c->extensions = grown;
	grown += c->n_extensions;
	*grown = (struct config_extension){ .name = strdup(name) };
	if (!grown->name)
		return NULL;
	c->n_extensions++;
	return grown;
}

/* Those whom the section speaks of, at most one for each class; how many they are, or -ENOMEM. */
static int find_settings(struct config *c, const struct settings_section *s,
			 struct settings *ret[static CLASS_COUNT]) {
	struct config_extension *x;
	int n = 0;

	switch (s->scope) {
	case SETTINGS_OF_HIERARCHY:
		ret[n++] = &config_find_hierarchy(c, s->name + 1)->settings;
		break;
	case SETTINGS_OF_EXTENSION:
		x = add_extension(c, s->name);
		if (!x)
			return -ENOMEM;
		ret[n++] = &x->settings;
		break;
	case SETTINGS_OF_CLASS:
		for (size_t i = 0; i < CLASS_COUNT; i++)
			if (!s->class || s->class == &classes[i])
				ret[n++] = &c->of[i];
		break;
	}
	return n;
}

static int refuse_value(const struct confvalue *v, enum settings_key key,
			const char *text, const char *why) {
	return refuse(v,
		      text_format("%s=%s is not %s%s%s", v->entry->key, text,
				  settings_key_allowed(key), why ? ": " : "", why ?: ""));
}

/* config.13 */
static int check_class(const struct confvalue *v, const struct config_hierarchy *h) {
	if (h->is_ours || !h->settings.class || h->settings.class == h->class)
		return 0;
	return refuse(v, text_format("%s=%s cannot be: /%s is of class %s", v->entry->key,
				     h->settings.class->name, h->name, h->class->name));
}

/* config.7: a value that is not allowed is an error, whatever it would have meant. */
int confvalue_set(const struct confvalue *v, enum settings_key key, const char *text) {
	struct settings_origin origin = { .source = SETTINGS_FILE,
					  .path = v->path,
					  .line = v->entry->line };
	struct settings *of[CLASS_COUNT];
	struct settings_section s;
	const char *why = NULL;
	int n, r = 0;

	if (!has_section(v, &s))
		return 0;
	origin.rank = (unsigned)v->config->n_files * SETTINGS_RANKS +
		      settings_section_rank(&s);
	n = find_settings(v->config, &s, of);
	for (int i = 0; r == 0 && i < n; i++)
		r = settings_set(of[i], key, text, &origin, &why);
	if (r == -EINVAL)
		return refuse_value(v, key, text, why);
	if (n < 0 || r < 0)
		return -ENOMEM;
	return s.scope == SETTINGS_OF_HIERARCHY
		       ? check_class(v, config_find_hierarchy(v->config, s.name + 1))
		       : 0;
}

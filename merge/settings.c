/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is configured for a class of extensions or for one hierarchy, and by whom. */
#include "settings.h"

#include <string.h>

#include "text.h"

static int set_trust(struct settings *s, const char *text, const char **ret_why) {
	return trust_word_from(text, &s->trust);
}

static char *print_trust(const struct settings *s, const struct class *class) {
	return strdup(trust_word_text(s->trust));
}

/* An empty policy ignores everything: who means that can write "-". */
static int set_policy(struct settings *s, const char *text, const char **ret_why) {
	struct policy p;

	if (text[strspn(text, " \t")] == '\0') {
		*ret_why = "it is empty; \"-\" ignores all partitions";
		return -EINVAL;
	}
	if (policy_parse(text, strlen(text), &p, ret_why) < 0)
		return -EINVAL;
	s->policy = p;
	s->has_policy = true;
	return 0;
}

static char *print_policy(const struct settings *s, const struct class *class) {
	return s->has_policy ? policy_format(&s->policy)
			     : strdup(policy_default(class->name, false));
}

/* config.13: a hierarchy of the classes keeps its own. */
static int set_class(struct settings *s, const char *text, const char **ret_why) {
	const struct class *class = class_find(text);

	if (!class)
		return -EINVAL;
	s->class = class;
	return 0;
}

static char *print_class(const struct settings *s, const struct class *class) {
	return strdup((s->class ?: class)->name);
}

static int set_validity(struct settings *s, const char *text, const char **ret_why) {
	return trust_validity_from(text, &s->enforces_validity);
}

static char *print_validity(const struct settings *s, const struct class *class) {
	return strdup(trust_validity_text(s->enforces_validity));
}

static const struct row {
	const char *name;
	unsigned scopes; /* enum settings_scope */
	const char *allowed;
	int (*set)(struct settings *s, const char *text, const char **ret_why);
	char *(*print)(const struct settings *s, const struct class *class);
} rows[SETTINGS_KEY_COUNT] = {
	[SETTINGS_TRUST] = { "Trust", SETTINGS_OF_CLASS, "auto, signed, verity or any",
			     set_trust, print_trust },
	[SETTINGS_IMAGE_POLICY] = { "ImagePolicy", SETTINGS_OF_CLASS,
				    "PARTITION=FLAG+FLAG:..., \"*\", \"-\" or \"~\"",
				    set_policy, print_policy },
	[SETTINGS_CERTIFICATE_VALIDITY] = { "CertificateValidity", SETTINGS_OF_CLASS,
					    "ignore or enforce", set_validity,
					    print_validity },
	[SETTINGS_CLASS] = { "Class", SETTINGS_OF_HIERARCHY, "sysext or confext",
			     set_class, print_class },
};

const char *const settings_sections[] = { SETTINGS_SECTION, "sysext", "confext",
					  SETTINGS_HIERARCHY, NULL };

int settings_section_from(const char *heading, struct settings_section *ret) {
	static const char hierarchy[] = SETTINGS_HIERARCHY " ";
	struct settings_section s = { .scope = SETTINGS_OF_CLASS };

	if (strncmp(heading, hierarchy, strlen(hierarchy)) == 0) {
		s.scope = SETTINGS_OF_HIERARCHY;
		s.name = heading + strlen(hierarchy);
	} else if (strcmp(heading, SETTINGS_SECTION) != 0) {
		s.class = class_find(heading);
		if (!s.class)
			return -ENOENT;
	}
	*ret = s;
	return 0;
}

unsigned settings_section_rank(const struct settings_section *s) {
	return s->scope != SETTINGS_OF_CLASS ? 3 : s->class ? 2 : 1;
}

void settings_keys_of(enum settings_scope scope,
		      const char *ret[static SETTINGS_KEY_COUNT + 1]) {
	size_t n = 0;

	for (int k = 0; k < SETTINGS_KEY_COUNT; k++)
		if (rows[k].scopes & scope)
			ret[n++] = rows[k].name;
	ret[n] = NULL;
}

int settings_key_from(const char *name) {
	for (int k = 0; k < SETTINGS_KEY_COUNT; k++)
		if (strcmp(rows[k].name, name) == 0)
			return k;
	return -ENOENT;
}

const char *settings_key_name(enum settings_key k) {
	return rows[k].name;
}

bool settings_key_is_of(enum settings_key k, enum settings_scope scope) {
	return rows[k].scopes & scope;
}

const char *settings_key_allowed(enum settings_key k) {
	return rows[k].allowed;
}

int settings_set(struct settings *s, enum settings_key k, const char *text,
		 const struct settings_origin *origin, const char **ret_why) {
	int r;

	*ret_why = NULL;
	r = rows[k].set(s, text, ret_why);
	if (r == 0)
		s->origins[k] = *origin;
	return r;
}

int settings_inherit(struct settings *s, const struct settings *from,
		     const struct class *class) {
	int r = 0;

	for (size_t k = 0; r == 0 && k < SETTINGS_KEY_COUNT; k++) {
		_cleanup_free_ char *value = NULL;
		const char *why;

		if (!(rows[k].scopes & SETTINGS_OF_CLASS) ||
		    !(rows[k].scopes & SETTINGS_OF_HIERARCHY) ||
		    from->origins[k].rank <= s->origins[k].rank)
			continue;
		/* What is printed may be given, and says the same. */
		value = rows[k].print(from, class);
		r = value ? settings_set(s, (enum settings_key)k, value,
					 &from->origins[k], &why)
			  : -ENOMEM;
	}
	return r;
}

char *settings_value(const struct settings *s, enum settings_key k,
		     const struct class *class) {
	return rows[k].print(s, class);
}

char *settings_origin_text(const struct settings_origin *o) {
	switch (o->source) {
	case SETTINGS_DEFAULT:
		return strdup("default");
	case SETTINGS_COMMAND_LINE:
		return strdup("command line");
	case SETTINGS_FILE:
		break;
	}
	return text_format("%s:%u", o->path, o->line);
}

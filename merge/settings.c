/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is configured for a class of extensions, a hierarchy or an extension, and by whom. */
#include "settings.h"

#include <string.h>

#include "order.h"
#include "strv.h"
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

/* config.13: a hierarchy of the classes keeps its own; nothing is nobody's. */
static int set_class(struct settings *s, const char *text, const char **ret_why) {
	const struct class *class = class_find(text);

	if (!class && *text)
		return -EINVAL;
	s->class = class;
	return 0;
}

static char *print_class(const struct settings *s, const struct class *class) {
	const struct class *said = s->class ?: class;

	return strdup(said ? said->name : "");
}

static int set_validity(struct settings *s, const char *text, const char **ret_why) {
	return trust_validity_from(text, &s->enforces_validity);
}

static char *print_validity(const struct settings *s, const struct class *class) {
	return strdup(trust_validity_text(s->enforces_validity));
}

/* Names with blanks between them, each once. */
static int read_names(const char *text, bool may_have_others, char ***ret,
		      const char **ret_why) {
	_cleanup_strv_ char **names = NULL;
	_cleanup_free_ char *copy = strdup(text);
	char *rest = copy, *name;
	int r = copy ? 0 : -ENOMEM;

	while (r == 0 && (name = strsep(&rest, " \t"))) {
		if (*name == '\0')
			continue;
		if (strv_contains(names, name))
			*ret_why = "a name is there twice";
		else if (!may_have_others && strcmp(name, ORDER_OTHERS) == 0)
			*ret_why = "\"*\" is for Order=";
		r = *ret_why ? -EINVAL : strv_append(&names, name);
	}
	if (r < 0)
		return r;
	strv_free(*ret);
	*ret = TAKE_PTR(names);
	return 0;
}

static char *print_names(char *const *names) {
	char *text = NULL;

	if (text_join(" ", (const char *const *)names, strv_length(names), &text) < 0)
		return NULL;
	return text ?: strdup("");
}

static int set_order(struct settings *s, const char *text, const char **ret_why) {
	return read_names(text, true, &s->order, ret_why);
}

static char *print_order(const struct settings *s, const struct class *class) {
	return print_names(s->order);
}

static int set_before(struct settings *s, const char *text, const char **ret_why) {
	return read_names(text, false, &s->before, ret_why);
}

static char *print_before(const struct settings *s, const struct class *class) {
	return print_names(s->before);
}

static int set_after(struct settings *s, const char *text, const char **ret_why) {
	return read_names(text, false, &s->after, ret_why);
}

static char *print_after(const struct settings *s, const struct class *class) {
	return print_names(s->after);
}

static int set_hooks(struct settings *s, const char *text, const char **ret_why) {
	if (strcmp(text, "yes") != 0 && strcmp(text, "no") != 0)
		return -EINVAL;
	s->no_hooks = strcmp(text, "no") == 0;
	return 0;
}

static char *print_hooks(const struct settings *s, const struct class *class) {
	return strdup(s->no_hooks ? "no" : "yes");
}

static int set_mutable(struct settings *s, const char *text, const char **ret_why) {
	return mutable_mode_from(text, &s->mutable);
}

static char *print_mutable(const struct settings *s, const struct class *class) {
	return strdup(mutable_mode_text(s->mutable));
}

static int set_base(struct settings *s, const char *text, const char **ret_why) {
	return base_place_from(text, &s->base);
}

static char *print_base(const struct settings *s, const struct class *class) {
	return strdup(base_place_text(s->base));
}

static int set_ephemeral_size(struct settings *s, const char *text, const char **ret_why) {
	if (!mutable_is_size(text))
		return -EINVAL;
	snprintf(s->ephemeral_size, sizeof(s->ephemeral_size), "%s", text);
	return 0;
}

static char *print_ephemeral_size(const struct settings *s, const struct class *class) {
	return strdup(*s->ephemeral_size ? s->ephemeral_size : MUTABLE_SIZE_DEFAULT);
}

static int set_backend(struct settings *s, const char *text, const char **ret_why) {
	return backend_from(text, &s->backend);
}

static char *print_backend(const struct settings *s, const struct class *class) {
	return strdup(backend_text(s->backend));
}

static int set_noexec(struct settings *s, const char *text, const char **ret_why) {
	return noexec_from(text, &s->noexec);
}

static char *print_noexec(const struct settings *s, const struct class *class) {
	return strdup(noexec_text(s->noexec));
}

static int set_grafts(struct settings *s, const char *text, const char **ret_why) {
	unsigned n = 0;

	do {
		if (*text < '0' || *text > '9')
			return -EINVAL;
		n = 10 * n + (unsigned)(*text - '0');
	} while (n <= BACKEND_GRAFTS_MAX && *++text);
	if (n > BACKEND_GRAFTS_MAX)
		return -EINVAL;
	s->grafts = n;
	return 0;
}

static char *print_grafts(const struct settings *s, const struct class *class) {
	return text_format("%u", s->grafts);
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
	[SETTINGS_CLASS] = { "Class", SETTINGS_OF_HIERARCHY, "sysext, confext or nothing",
			     set_class, print_class },
	[SETTINGS_ORDER] = { "Order", SETTINGS_OF_CLASS,
			     "names of extensions, with blanks between them, and one \"*\"",
			     set_order, print_order },
	[SETTINGS_BEFORE] = { "Before", SETTINGS_OF_EXTENSION,
			      "names of extensions, with blanks between them", set_before,
			      print_before },
	[SETTINGS_AFTER] = { "After", SETTINGS_OF_EXTENSION,
			     "names of extensions, with blanks between them", set_after,
			     print_after },
	[SETTINGS_HOOKS] = { "Hooks", SETTINGS_OF_CLASS, "yes or no", set_hooks,
			     print_hooks },
	[SETTINGS_MUTABLE] = { "Mutable", SETTINGS_OF_CLASS | SETTINGS_OF_HIERARCHY,
			       "no, auto, yes, import, ephemeral or ephemeral-import",
			       set_mutable, print_mutable },
	[SETTINGS_BASE] = { "Base", SETTINGS_OF_CLASS | SETTINGS_OF_HIERARCHY,
			    "bottom or top", set_base, print_base },
	[SETTINGS_EPHEMERAL_SIZE] = { "EphemeralSize",
				      SETTINGS_OF_CLASS | SETTINGS_OF_HIERARCHY,
				      "a size such as 64M, or a part of the memory such as 10%",
				      set_ephemeral_size, print_ephemeral_size },
	[SETTINGS_BACKEND] = { "Backend", SETTINGS_OF_CLASS | SETTINGS_OF_HIERARCHY,
			       "auto, overlay or fuse", set_backend, print_backend },
	[SETTINGS_NOEXEC] = { "NoExec", SETTINGS_OF_CLASS | SETTINGS_OF_HIERARCHY,
			      "auto, yes or no", set_noexec, print_noexec },
	[SETTINGS_GRAFTS] = { "Grafts", SETTINGS_OF_CLASS | SETTINGS_OF_HIERARCHY,
			      "a number from 0 to 16", set_grafts, print_grafts },
};

const char *const settings_sections[] = {
	SETTINGS_SECTION,   "sysext",		"confext",
	SETTINGS_HIERARCHY, SETTINGS_EXTENSION, NULL,
};

static const struct {
	const char *word; /* with the blank in front of the name */
	enum settings_scope scope;
} named_sections[] = {
	{ SETTINGS_HIERARCHY " ", SETTINGS_OF_HIERARCHY },
	{ SETTINGS_EXTENSION " ", SETTINGS_OF_EXTENSION },
};

int settings_section_from(const char *heading, struct settings_section *ret) {
	struct settings_section s = { .scope = SETTINGS_OF_CLASS };

	for (size_t i = 0; i < ARRAY_SIZE(named_sections); i++) {
		size_t len = strlen(named_sections[i].word);

		if (strncmp(heading, named_sections[i].word, len) != 0)
			continue;
		s.scope = named_sections[i].scope;
		s.name = heading + len;
	}
	if (!s.name && strcmp(heading, SETTINGS_SECTION) != 0) {
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

void settings_done(struct settings *s) {
	strv_free(s->order);
	strv_free(s->before);
	strv_free(s->after);
	s->order = s->before = s->after = NULL;
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
	case SETTINGS_KEPT:
		return strdup("kept since it was merged");
	case SETTINGS_FILE:
		break;
	}
	return text_format("%s:%u", o->path, o->line);
}

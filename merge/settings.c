/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is configured for a class of extensions, and by whom. */
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

static const struct row {
	const char *allowed;
	int (*set)(struct settings *s, const char *text, const char **ret_why);
	char *(*print)(const struct settings *s, const struct class *class);
} rows[SETTINGS_KEY_COUNT] = {
	[SETTINGS_TRUST] = { "auto, signed, verity or any", set_trust, print_trust },
	[SETTINGS_IMAGE_POLICY] = { "PARTITION=FLAG+FLAG:..., \"*\", \"-\" or \"~\"",
				    set_policy, print_policy },
};

const char *const settings_keys[SETTINGS_KEY_COUNT + 1] = {
	[SETTINGS_TRUST] = "Trust",
	[SETTINGS_IMAGE_POLICY] = "ImagePolicy",
};

const char *const settings_sections[] = { SETTINGS_SECTION, "sysext", "confext", NULL };

int settings_key_from(const char *name) {
	for (int k = 0; k < SETTINGS_KEY_COUNT; k++)
		if (strcmp(settings_keys[k], name) == 0)
			return k;
	return -ENOENT;
}

const char *settings_key_name(enum settings_key k) {
	return settings_keys[k];
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

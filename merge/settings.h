/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is configured for a class of extensions, and by whom: one row for each key, which knows how its value is
 * read, where it goes, and how it is shown. Pure (specs: config.*).
 */
#pragma once

#include "class.h"
#include "trust.h"

enum settings_key {
	SETTINGS_TRUST,
	SETTINGS_IMAGE_POLICY,
	SETTINGS_KEY_COUNT,
};

enum settings_source { SETTINGS_DEFAULT, SETTINGS_FILE, SETTINGS_COMMAND_LINE };

/* Who has said a value. Plain values: `path` is borrowed. */
struct settings_origin {
	enum settings_source source;
	const char *path; /* of a file */
	unsigned line;
};

/* What holds for one class. All zero is the defaults. */
struct settings {
	enum trust_word trust;
	bool has_policy; /* otherwise the class's default holds: */
	struct policy policy;
	struct settings_origin origins[SETTINGS_KEY_COUNT];
};

/* The sections of a file: one for both classes, and one for each, called like it. */
#define SETTINGS_SECTION "Extmerge"

/* The names of sections and of keys, for text_nearest(): NULL-terminated, static. */
extern const char *const settings_sections[];
extern const char *const settings_keys[];

/* The key of that name, or -ENOENT; its name; and what its values are, the end of "... is not". */
int settings_key_from(const char *name);
const char *settings_key_name(enum settings_key k);
const char *settings_key_allowed(enum settings_key k);

/*
 * Gives the key the value that `text` says. 0; or -EINVAL, and *ret_why is a static sentence, or NULL where
 * settings_key_allowed() says enough. Then nothing is changed.
 */
int settings_set(struct settings *s, enum settings_key k, const char *text,
		 const struct settings_origin *origin, const char **ret_why);

/* The value as text; the caller owns it. NULL where memory ran out. */
char *settings_value(const struct settings *s, enum settings_key k,
		     const struct class *class);

/* "default", "command line", or "/etc/extmerge.conf:3"; the caller owns it. NULL where memory ran out. */
char *settings_origin_text(const struct settings_origin *o);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is configured for a class of extensions or for one hierarchy, and by whom: one row for each key, which knows
 * where it may stand, how its value is read, where it goes, and how it is shown. Pure (specs: config.*).
 */
#pragma once

#include "backend.h"
#include "class.h"
#include "mutable.h"
#include "noexec.h"
#include "trust.h"

enum settings_key {
	SETTINGS_TRUST,
	SETTINGS_IMAGE_POLICY,
	SETTINGS_CERTIFICATE_VALIDITY,
	SETTINGS_CLASS,
	SETTINGS_ORDER,
	SETTINGS_BEFORE,
	SETTINGS_AFTER,
	SETTINGS_HOOKS,
	SETTINGS_MUTABLE,
	SETTINGS_BASE,
	SETTINGS_EPHEMERAL_SIZE,
	SETTINGS_BACKEND,
	SETTINGS_NOEXEC,
	SETTINGS_GRAFTS,
	SETTINGS_KEY_COUNT,
};

/* What a key speaks of, as bits: one of several kinds may have it. */
enum settings_scope {
	SETTINGS_OF_CLASS =
		1, /* [Extmerge] speaks of both, [sysext] and [confext] of one */
	SETTINGS_OF_HIERARCHY = 2, /* [Hierarchy /etc] */
	SETTINGS_OF_EXTENSION = 4, /* [Extension NAME] */
};

enum settings_source {
	SETTINGS_DEFAULT,
	SETTINGS_FILE,
	SETTINGS_COMMAND_LINE,
	SETTINGS_KEPT, /* it was given on the command line when the tree was merged */
};

/* Who has said a value. Plain values: `path` is borrowed. */
struct settings_origin {
	enum settings_source source;
	const char *path; /* of a file */
	unsigned line;
	unsigned rank; /* the greater one says more (config.6); 0 is the default's */
};

/* What holds for one class, hierarchy or extension. All zero is the defaults; it is ended by settings_done(). */
struct settings {
	enum trust_word trust;
	bool has_policy; /* otherwise the class's default holds: */
	struct policy policy;
	bool enforces_validity; /* of certificates */
	bool no_hooks;
	const struct class *class; /* of a hierarchy, or NULL: not said, or taken back */
	char **order;		   /* of a class: names, lowest first (strv; order.5) */
	char **before, **after;	   /* of an extension: names (strv; order.6) */
	enum mutable_mode mutable;
	enum base_place base;
	char ephemeral_size[MUTABLE_SIZE_MAX]; /* empty: MUTABLE_SIZE_DEFAULT */
	enum backend backend;
	enum noexec noexec;
	unsigned grafts; /* at most BACKEND_GRAFTS_MAX */
	struct settings_origin origins[SETTINGS_KEY_COUNT];
};

/* The sections of a file: one for both classes, one for each, called like it; for each hierarchy and extension. */
#define SETTINGS_SECTION "Extmerge"
#define SETTINGS_HIERARCHY "Hierarchy"
#define SETTINGS_EXTENSION "Extension"

/* Who a section speaks of. */
struct settings_section {
	enum settings_scope scope;
	const struct class *class; /* of SETTINGS_OF_CLASS; NULL for both */
	const char *name; /* of a hierarchy, "/etc", or an extension; borrowed from the heading */
};

/* Takes the heading of a section apart: "Extmerge", "sysext", "Hierarchy /etc". 0 or -ENOENT. */
int settings_section_from(const char *heading, struct settings_section *ret);

/* How much its sections say in one file (config.6), from 1; the next file's say more than all of this one. */
#define SETTINGS_RANKS 3
unsigned settings_section_rank(const struct settings_section *s);

/* The names of sections, for text_nearest(): NULL-terminated, static. */
extern const char *const settings_sections[];

/* The names of the scope's keys: NULL-terminated. */
void settings_keys_of(enum settings_scope scope,
		      const char *ret[static SETTINGS_KEY_COUNT + 1]);

/* The key of that name, or -ENOENT; its name; and what its values are, the end of "... is not". */
int settings_key_from(const char *name);
const char *settings_key_name(enum settings_key k);
bool settings_key_is_of(enum settings_key k, enum settings_scope scope);
const char *settings_key_allowed(enum settings_key k);

/*
 * Gives the key the value that `text` says. 0; -ENOMEM; or -EINVAL, and *ret_why is a static sentence, or NULL where
 * settings_key_allowed() says enough. Then nothing is changed.
 */
int settings_set(struct settings *s, enum settings_key k, const char *text,
		 const struct settings_origin *origin, const char **ret_why);

/*
 * What a hierarchy has of its class: each key that both may have is `from`'s, where that was said later (config.6).
 * 0 or -ENOMEM.
 */
int settings_inherit(struct settings *s, const struct settings *from,
		     const struct class *class);

void settings_done(struct settings *s);

/* The value as text; the caller owns it. NULL where memory ran out. */
char *settings_value(const struct settings *s, enum settings_key k,
		     const struct class *class);

/* "default", "command line", or "/etc/extmerge.conf:3"; the caller owns it. NULL where memory ran out. */
char *settings_origin_text(const struct settings_origin *o);

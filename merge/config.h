/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The configuration files: extmerge.conf and extmerge.conf.d (specs: config.*). The only user of libeconf. */
#pragma once

#include "settings.h"

/* A file that was found, in the order in which they count: the last one says most. */
struct config_file {
	char *path;
	bool is_mask;
};

/* One hierarchy, with what was said of it. */
struct config_hierarchy {
	const struct class *class; /* NULL where it is not in force */
	char *name;		   /* "usr" */
	bool is_ours;		   /* not of a class, but of the configuration */
	const char *path; /* of a file that speaks of it first, or NULL; and the line */
	unsigned line;
	struct settings settings;
};

/* One extension that somebody has said something of, whether it is there or not. */
struct config_extension {
	char *name;
	struct settings settings;
};

struct config {
	struct settings of[CLASS_COUNT]; /* their origins borrow from `files` */
	struct config_hierarchy
		*hierarchies; /* so do theirs; those of the classes are the first */
	size_t n_hierarchies;
	char **names[CLASS_COUNT]; /* of those in force (strv) */
	struct config_extension *extensions;
	size_t n_extensions;
	struct config_file *files;
	size_t n_files;
	char **errors, **warnings; /* sentences that begin with file and line (strv) */
	bool is_denied;		   /* one of the errors is a lack of privilege */
};

/*
 * Reads them below `root`, which must be the host's own tree and no merged one: an extension has no say in what is
 * asked of it. libeconf is loaded only if there is a file. 0 with *ret; -EBADMSG where something in them cannot
 * be used, or -EACCES where root could: then `errors` says what, and nothing else of *ret is to be used; or another
 * negative errno that is no fault of theirs: memory, fds, -ENOSYS without the library. *ret is to be ended by
 * config_done() in any case.
 */
int config_read(int root, struct config *ret);

/* The hierarchy of that name ("usr"), NULL where there is none. */
struct config_hierarchy *config_find_hierarchy(struct config *c, const char *name);

/* The same, and adds it where there is none. NULL where memory ran out. */
struct config_hierarchy *config_add_hierarchy(struct config *c, const char *name);

void config_done(struct config *c);

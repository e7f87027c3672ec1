/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which extensions there are: the search directories of a class, names, versions and masks (specs: discover.*). */
#pragma once

#include "extension.h"
#include "host.h"
#include "order.h"

/* specs: discover.limit. More are refused by name before anything is mounted. */
#define DISCOVER_EXTENSIONS_MAX 500
#define DISCOVER_ENTRIES_MAX 20000 /* of one search directory */

struct discovery {
	struct extensions *list; /* what is found is appended here, in the order of order.h */
	bool has_doubt;		 /* responsive.h: given by the caller */
	char **const *
		hierarchies; /* of each class (strv), or NULL: its own; given by the caller */
	const char *service; /* whose own directories come first, or NULL (service.2) */
	const struct order
		*orders; /* what is wanted of each class, or NULL: given by the caller */
	char **problems; /* what is wrong with search directories: sentences (strv) */
	char **unread;	 /* those directories: "var/lib/extensions" (strv) */
	char **misnamed; /* files that would be images if they were called so: sentences (strv) */
	/*
	 * Paths (strv, borrowed) of versions that turned out not to fit: another version of that
	 * name in the same directory takes their place (specs: discover.fallback).
	 */
	char *const *losers;
};

/*
 * Finds all extensions of the class below `root`; those that are out already have their verdict.
 * What is wrong with a search directory stops nothing. 0, or a negative errno that is no fault of
 * theirs.
 */
int discover(int root, const struct class *class, const struct host *host,
	     struct discovery *d);

void discovery_done(struct discovery *d);

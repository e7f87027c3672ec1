/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which extensions there are: the search directories of a class, names, versions and masks (specs: discover.*). */
#pragma once

#include "extension.h"
#include "host.h"

/* specs: discover.limit. More are refused by name before anything is mounted. */
#define DISCOVER_EXTENSIONS_MAX 500
#define DISCOVER_ENTRIES_MAX 20000 /* of one search directory */

/*
 * Appends all extensions of the class below `root` to `list`, in the order of order.h; those that are
 * out already have their verdict. What is wrong with a search directory itself is appended to
 * *problems (strv of sentences) and stops nothing. 0, or a negative errno that is no fault of theirs.
 */
int discover(int root, const struct class *class, const struct host *host,
	     struct extensions *list, char ***problems);

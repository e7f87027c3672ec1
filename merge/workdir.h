/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The directories in which an overlay prepares what it puts into its upper layer: one for each tree, beside that layer,
 * removed when the tree is gone (specs: mutable.8).
 */
#pragma once

#include "base.h"

/*
 * Makes a new one in the directory `parent` (O_PATH), for the upper layer that is called `upper` there. The caller owns
 * *ret, its name. 0 or a negative errno.
 */
int workdir_make(int parent, const char *upper, char **ret);

/* Removes the directory `name` of `parent` with all that is in it; nothing that is mounted. 0 or a negative errno. */
int workdir_remove(int parent, const char *name);

/* Removes all of the upper layer `upper` but the one called `keep`, which may be NULL. How many, or a negative errno. */
int workdir_sweep(int parent, const char *upper, const char *keep);

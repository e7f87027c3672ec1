/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From the plan to what is seen: refuses what is not ours, builds all new trees, then switches. */
#pragma once

#include "route.h"

/*
 * What somebody else has mounted at hierarchy `i`, so that it is named and left alone (specs: switch.7), as an
 * owned sentence; NULL where nothing is in the way.
 */
char *transition_obstacle(const struct route *r, size_t i);

/*
 * Runs r->plan: everything is built before the first hierarchy is switched. Says what went wrong, and
 * then the old trees are in place.
 */
enum exit_code transition_run(struct route *r);

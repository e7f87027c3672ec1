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
 * From now on a child sees to it, if this process is killed, that what is seen then is written again (specs: mutable.13). It
 * is ended with the switch, if r->watch is this one, and otherwise by the caller.
 */
void transition_watch(struct route *r, struct watch *w);

/*
 * Runs r->plan: everything is built before the first hierarchy is switched. Says what went wrong, and
 * then the old trees are in place.
 */
enum exit_code transition_run(struct route *r);

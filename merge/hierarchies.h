/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The hierarchies of a run: those of the classes, those that are configured, and those that are merged (specs: hierarchy.*). */
#pragma once

#include "route.h"

/*
 * Adds to r->state what the configuration has beside the hierarchies of the classes, if it leads to where something may
 * be merged, and takes what is mounted there. Says what is wrong: EXIT_USAGE, and nothing may be done.
 */
enum exit_code hierarchies_add(struct route *r);

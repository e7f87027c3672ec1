/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files of the route need of each other. */
#pragma once

#include "route.h"

/* Discovers the extensions of all chosen classes, without those that have lost. 0 or a negative errno. */
int route_find_all(struct route *r);

/* Forgets the hierarchies and their layers. */
void route_close_hierarchies(struct route *r);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What merge, refresh and unmerge have in common. */
#pragma once

#include "../route.h"

/* The schema's name in JSON, a line for each change otherwise. */
void change_report(const struct route *r, const char *nothing);

/* Discovers, examines, plans and applies, on a route that is locked. */
enum exit_code change_run(struct route *r);

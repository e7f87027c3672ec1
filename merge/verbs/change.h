/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What merge, refresh and unmerge have in common. */
#pragma once

#include "../route.h"

/* The schema's name in JSON, a line for each change otherwise. */
void change_report(struct route *r, const char *nothing);

/* Discovers, examines and plans, on a route that is locked; *ret_settled says that there is nothing to do. */
enum exit_code change_examine(struct route *r, bool *ret_settled);

/* Then applies the plan, runs hooks and reports. */
enum exit_code change_apply(struct route *r);

/* Both. */
enum exit_code change_run(struct route *r);

/* Then what is perhaps not as somebody meant it (order.9), where something was changed or there is nothing at all. */
void change_note(const struct route *r);

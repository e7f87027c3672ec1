/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the verbs found, on stdout: tables and trees for people. */
#pragma once

#include "route.h"

void report_status(const struct route *r, bool is_pending);
void report_list(const struct route *r);
void report_plan(const struct route *r);

/* What a change did: one line for each extension that came, changed or went; on stderr. */
void report_changes(const struct route *r);

/* What is perhaps not as somebody meant it: order.9, discover.misnamed; on stderr. */
void report_notes(const struct route *r);

/* The hooks that failed, as warnings; on stderr. */
void report_hooks(const struct route *r);

/* The extensions that do not fit, as warnings with reason and hint; on stderr. */
void report_skipped(const struct route *r);

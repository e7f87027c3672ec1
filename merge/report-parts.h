/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files of reports have in common. */
#pragma once

#include "report.h"

/* One line on stdout; names in it may come from outside. */
void report_say(const char *format, ...) _printf_(1, 2);

/*
 * Who placed the layer; what there is to note of it; which back end made the tree, and why; and what form it has: sentences
 * that the caller owns, NULL where memory ran out.
 */
char *report_place(const char *placed_by);
char *report_layer_note(const struct record_layer *l);
char *report_backend(const struct record *r);
char *report_form(const struct record *r);

/* "  ~ change   tool 1 -> 2  (sysext, erofs, signed)". As above. */
char *report_change(const struct plan_change *c);

/* Who made the gap of its last switch (switch.3); static. */
const char *report_mounter(const struct record *r);

/* How to do what has been shown: "extmerge refresh", with what it takes. NULL where memory ran out. */
char *report_refresh(const struct options *o);

/* That there are no extensions, and where they are looked for. */
void report_none(const struct route *r);

/* What is said of a layer or a tree that nobody serves any more. */
extern const char report_dead_note[];

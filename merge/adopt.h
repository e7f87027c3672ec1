/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Taking over what systemd-sysext and systemd-confext have merged (specs: adopt.*). */
#pragma once

#include "route.h"

/* What they have merged of one hierarchy, as their tree says it. */
struct adopt_names {
	char **names; /* strv */
};

struct adopt {
	struct adopt_names of[STATE_HIERARCHIES_MAX]; /* parallel to the state's */
	bool is_any; /* whether there is anything to take over */
};

/*
 * Looks at their trees, before the workshop is entered. Refuses, and says so, what cannot be taken over: one that is written,
 * several on each other, one that does not say what is in it.
 */
enum exit_code adopt_open(struct adopt *a, const struct route *r);

/*
 * adopt.5: takes the tree of theirs off that lies on one of ours. *ret_changed says that there was one; then the
 * route has to be opened anew.
 */
enum exit_code adopt_heal(const struct route *r, bool *ret_changed);

/*
 * After the plan was made: refuses, and says so, where something would be missing of what they have merged; then
 * the steps are those that put our trees in the place of theirs.
 */
enum exit_code adopt_plan(const struct adopt *a, struct route *r);

void adopt_done(struct adopt *a);

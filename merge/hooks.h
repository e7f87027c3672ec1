/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is done after a change, so that the system takes notice of it (specs: hook.*). */
#pragma once

#include "hookplan.h"

struct route;

/* One hook that ran, or could not. */
struct hook_result {
	const char *name;    /* "users"; static */
	const char *program; /* its path, or NULL where it could not be found out; static */
	char *why;	     /* what went wrong, owned; NULL where it went well */
};

struct hooks {
	struct hook_result *items;
	size_t n;
	bool has_accounts;	 /* users and groups are made already */
	struct hook_calls calls; /* hooks_note() */
	bool is_left; /* a run that was killed has left some of them (hook.10) */
	struct hook_calls left; /* those */
};

/*
 * What must be done before the switch, in the workshop: users and groups, where the switch makes /etc read-only
 * (hook.9). r->plan is there, and nothing has been applied.
 */
void hooks_prepare(struct route *r);

/*
 * Collects what the changes of r->plan ask for, and what a run that was killed has left, and notes it (hook.10). Nothing has
 * been applied yet, and the lock is held.
 */
void hooks_note(struct route *r);

/* Nothing was applied: only what another run has left is due. */
void hooks_drop(struct route *r);

/*
 * Runs what hooks_note() has collected; the changes have been applied. The lock is given up first: what runs may call
 * extmerge. What fails changes nothing else; r->hooks has all results.
 */
void hooks_run(struct route *r);

void hooks_done(struct hooks *h);

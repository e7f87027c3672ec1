/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The switch: finished trees take the place of the old ones, all or none (specs: switch.*). Until here
 * nothing was visible, and a failure was closing fds.
 */
#pragma once

#include <time.h>

#include "layer.h"
#include "plan.h"
#include "stack.h"

/* One hierarchy to switch. fds are borrowed. */
struct apply_step {
	const char *name; /* "usr" */
	enum plan_action action;
	int old;  /* O_PATH: our tree that is on top now, for REPLACE and UNMERGE */
	int tree; /* the new tree, detached, for MERGE and REPLACE */
	const struct hierarchy *h; /* what the new tree must show */
	bool is_written;	   /* REPLACE, UNMERGE: the old tree can be written */
	bool is_writable; /* MERGE, REPLACE: the new tree is to be written, once all is switched */
	const struct upper *
		renewed; /* REPLACE: a new layer takes the place of the one that was written; or NULL */
	bool create; /* MERGE: the directory is missing */
	bool remove; /* UNMERGE: it was we who made the directory */
	const struct stack_submount
		*carried; /* UNMERGE: mounts on the tree that the host lacks */
	size_t n_carried;

	/* set by apply() */
	int backup; /* a detached clone of the old tree */
	int still;  /* a second mount of the old tree that took its place, or -EBADF */
	bool is_stopped;	 /* nobody writes to the old tree */
	struct timespec stopped; /* since when, or zero */
	int64_t pause;		 /* microseconds in which neither tree could be written */
	bool is_busy; /* files of the old tree were open for writing, and still are */
	char *holder; /* who has one of them, or NULL: as of holders_count(); the caller's to free */
	int64_t gap; /* microseconds in which neither tree was there */
	bool is_done;
	bool is_left; /* it failed, and the new tree is mounted all the same, seen or not */
};

/* mutable.12: what is done about files of the old trees that are kept open for writing. */
struct apply_patience {
	unsigned wait;	   /* milliseconds for them to be closed */
	bool is_exhausted; /* then the switch goes on without */
};

/*
 * Switches each step in turn below `root`, checks what is then visible, and goes back over those
 * already done if one fails. `directory` is the working directory to return to.
 * 0; else a negative errno and *ret_why, an owned sentence (or NULL): the old trees are all back, or
 * the sentence says which is not. -ETIMEDOUT where the old trees are written for longer than we wait.
 */
int apply(int root, int directory, const struct apply_patience *patience,
	  struct apply_step *steps, size_t n, char **ret_why);

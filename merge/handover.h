/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How trees that are written stop being written, so that others with the same upper layers can take their places: two
 * must never be written at once (specs: mutable.11, mutable.12).
 */
#pragma once

#include <time.h>

#include "base.h"

/* Where the trees are seen, by their names: below `root`. `directory` is the working directory to return to. */
struct handover_place {
	int root, directory;
};

/* A tree that is written. */
struct handover {
	const char *name; /* "usr"; borrowed */
	int tree;	  /* O_PATH: the root of its mount; borrowed */

	/* set by handover_stop() */
	bool is_stopped;
	struct timespec stopped; /* when */
	bool is_unheld; /* /proc shows nobody who has a file of it open for writing */
};

/*
 * Stops whoever writes to these trees, in all mount namespaces: from then on they get EROFS. All of them or none: what
 * has been stopped is written again while another one is waited for, up to `wait` milliseconds, as long as files are open
 * for writing or something is just being written. Where that never ends because of ever new writers, these are kept
 * out now and then, for 200 ms at most. -ETIMEDOUT where that was not enough, with the one that was waited for in
 * *ret_busy; or another negative errno.
 */
int handover_stop(const struct handover_place *p, struct handover *trees, size_t n,
		  unsigned wait, size_t *ret_busy);

/* The tree whose mount `fd` is the root of is written again, by whatever it was stopped. 0 or a negative errno. */
int handover_resume(int fd);

/*
 * Before the mount goes for good: waits a little for those that are just writing by it. -EBUSY where somebody still is, or
 * has a file open; *ret_holder as that of holders_count().
 */
int handover_end(int fd, char **ret_holder);

/*
 * Who cannot write waits for us, and we would wait for our turn: between the two calls this process comes before all that
 * have no such priority. Where that is not allowed, nothing changes.
 */
struct handover_pace {
	int policy;
	bool is_changed;
};
void handover_hurry(struct handover_pace *ret);
void handover_relax(const struct handover_pace *p);

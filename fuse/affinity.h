/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* On which CPU a thread that serves is: its client's, or any (follow.h). */
#pragma once

#include <sched.h>

#include "follow.h"

struct affinity {
	struct follow follow;
	int proc;	 /* borrowed; negative: nobody is followed */
	uint32_t client; /* whose `stat` is open */
	int stat;
	int waits;	   /* our own "schedstat" */
	uint64_t waited;   /* what it said last */
	uint64_t answered; /* when the last answer was given, in nanoseconds */
	bool yields;
	cpu_set_t any; /* where we may be, while we are kept */
};

/*
 * What following takes, while it is still allowed: an fd, which the caller owns, of a /proc with processes alone; or a
 * negative errno where there is nobody to follow, as there is one CPU, or we could not.
 */
int affinity_prepare(void);

/* `proc` is that fd, which must outlive it, or negative. For the calling thread, as the others. */
void affinity_begin(struct affinity *a, int proc);

/* A request has come, see follow_request(). */
void affinity_request(struct affinity *a, uint32_t client);

/* It has been answered: what follows is waiting for the next one. */
void affinity_answered(struct affinity *a);

/* Closes what is open. */
void affinity_end(struct affinity *a);

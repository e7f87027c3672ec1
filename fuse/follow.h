/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Whether a thread that serves goes to the CPU of its client, from what comes in. Two who wait for each other in turn are
 * faster on one CPU than on two, each of which halts meanwhile; the kernel cannot know that they do (specs: union.21). Pure.
 */
#pragma once

#include "../merge/base.h"

#define FOLLOW_ANYWHERE (-1)

struct follow {
	uint32_t client;    /* the thread whose requests came last, or 0 */
	uint64_t run;	    /* how many of them one after the other, but for the first */
	uint64_t next_look; /* at which run */
	int cpu;	    /* where we are kept, or FOLLOW_ANYWHERE */
	bool yields; /* we count as nobody there, as the client would not stay otherwise */
	uint64_t yielded;  /* at which run that began */
	uint64_t patience; /* the run that it takes */
};

enum follow_step {
	FOLLOW_GO_ON,
	FOLLOW_LOOK,  /* where the client is; then follow_seen() or follow_lost() */
	FOLLOW_LEAVE, /* go anywhere again */
	FOLLOW_DOUBT, /* whether we have waited for a CPU; then follow_waited(), and as FOLLOW_LOOK */
};

void follow_begin(struct follow *f);

/*
 * What to do as a request has come from the thread `client`, 0 being nobody in particular, and FOLLOW_APART somebody who
 * does not wait for the answer. There was nothing to do for `idle` nanoseconds before.
 */
#define FOLLOW_APART UINT32_MAX
enum follow_step follow_request(struct follow *f, uint32_t client, uint64_t idle);

/* Of that time, and of the last few requests', this was spent waiting for a CPU: whoever yields waits there for all others. */
void follow_waited(struct follow *f, uint64_t waited);

/* The client is on `cpu`. Whether that, or whether we yield, is new. */
bool follow_seen(struct follow *f, int cpu);

/* It cannot be seen, or not be followed: that is not tried again before another client has come, or a long run. */
void follow_lost(struct follow *f);

/* Reads on which CPU a thread is, or was last, from the `n` bytes of its /proc file "stat". -EINVAL where it is not said. */
int follow_read_cpu(const char *text, size_t n);

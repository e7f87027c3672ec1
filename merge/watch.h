/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A child that ends what this process has begun, if it dies (specs: mutable.13). */
#pragma once

#include <sys/types.h>

#include "base.h"

struct watch {
	pid_t child;
	int fds[2]; /* a pipe whose writing end is closed by our death */
};
#define WATCH_NONE                                     \
	{                                              \
		.child = -1, .fds = { -EBADF, -EBADF } \
	}

/*
 * Starts the child, which calls `end` when this process is gone without watch_end(). It has copies of all fds, the lock too, so
 * that no other run begins before it is done, and is not ended by a terminal. Where there can be none, the next run
 * does what it would do.
 */
void watch_begin(struct watch *w, void (*end)(void *data), void *data);
void watch_end(struct watch *w);

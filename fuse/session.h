/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A connection to the kernel by libfuse3, and the threads that answer on it. */
#pragma once

#include "../merge/base.h"

struct fuse_lowlevel_ops;
struct passthrough;
struct stat;
struct statx;
struct session;

/*
 * Takes over `fuse_fd`, a connection that is mounted, and closes it if it fails; `ops` (of `size` bytes) are called with
 * `userdata`. Answers the kernel's first request: the operation init must set *greeted. `p` is NULL, or what userdata
 * begins with. 0 with *ret, which the caller owns, or a negative errno.
 */
int session_new(int fuse_fd, const struct fuse_lowlevel_ops *ops, size_t size,
		void *userdata, const bool *greeted, struct passthrough *p,
		struct session **ret);
void session_free(struct session *s);
DEFINE_CLEANUP(struct session, session_free)

/*
 * From session_run() on each thread follows its clients (affinity.h), where that is possible. To be called while the
 * process has its privileges.
 */
void session_follow_clients(struct session *s);

/*
 * statx(2) is answered by `look`: attributes, and in *ret_birth the time of birth where its stx_mask, zero before, says that there
 * is one. It returns 0 or a negative errno, but not -ENOSYS. Before session_run() (specs: union.25).
 */
void session_tell_births(struct session *s,
			 int (*look)(void *userdata, uint64_t node, struct stat *ret,
				     struct statx *ret_birth),
			 void *userdata);

/* From now on the root that `ops` know is not the connection's, but a directory in it (outer.h). Before session_run(). */
void session_enclose(struct session *s);

/* Whether the request that this thread is answering takes set-user-id bits away from the file (specs: overlay.11). */
bool session_kills_suid(void);

#define SESSION_FOREVER \
	((double)UINT32_MAX) /* seconds, how long the kernel may keep things */

/* Tells the kernel that what it keeps of the node's attributes, and, with `data`, of its data or listing, has changed. */
void session_invalidate(struct session *s, uint64_t node, bool data);

/*
 * Serves with `n` threads, or, where it is one, the caller's, until nobody uses the mount any more: 0. `begin`, which may be NULL, is called at the beginning of
 * each thread, with its number; `ready` when all of them are at work. A negative errno, of those or of a connection
 * that broke, leaves threads behind: then the process must end, without session_free().
 */
int session_run(struct session *s, unsigned n,
		int (*begin)(void *userdata, unsigned thread),
		int (*ready)(void *userdata), void *userdata);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A mount namespace of our own in which everything is built aside: what is attached there is seen by
 * nobody, works on kernels that refuse detached trees, and is gone when the process is.
 */
#pragma once

#include "base.h"

struct workshop {
	int namespace, root, directory; /* the caller's, to go back to */
	int scratch;			/* a tmpfs that only this process sees */
	int vigil[2]; /* a pipe that says whether there is still work in it */
	unsigned n_attached;
	bool inside;
};

#define WORKSHOP_NONE                                                     \
	{                                                                 \
		.namespace = -EBADF, .root = -EBADF, .directory = -EBADF, \
		.scratch = -EBADF, .vigil = {                             \
			-EBADF,                                           \
			-EBADF                                            \
		}                                                         \
	}

/*
 * Enters a private copy of the caller's mount namespace, with an empty scratch tmpfs and a /proc. The
 * process must have one thread. 0 with *ret, or a negative errno: -EPERM without privilege.
 * fds opened before still refer to the caller's namespace.
 */
int workshop_enter(struct workshop *ret);

/*
 * From now on, to leave leads to that namespace, where root and working directory are `root`; the fds stay the caller's. 0
 * or a negative errno.
 */
int workshop_redirect(struct workshop *w, int namespace, int root);

/*
 * The end of a pipe, for a child that shall know when the work is done: it reads an end of file once this process has left the
 * workshop, has executed another program, or is gone. The fd stays the workshop's. Or a negative errno.
 */
int workshop_vigil(struct workshop *w);

/* Goes back to the caller's namespace, root and working directory. fds of the workshop stay. */
int workshop_leave(struct workshop *w);

/*
 * Attaches the detached mount `fd` to a new directory of the scratch, whose name is written to
 * `ret`. The fd stays the mount's.
 */
#define WORKSHOP_NAME_MAX 16
int workshop_attach(struct workshop *w, int fd, char ret[static WORKSHOP_NAME_MAX]);

/* Leaves, if inside, and closes all; the attached mounts are gone when nothing uses them. */
void workshop_done(struct workshop *w);

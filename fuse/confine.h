/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How the server leaves everything behind that it does not need. */
#pragma once

#include "../merge/base.h"

/*
 * Moves this process, which must have one thread, to a mount namespace of its own with an empty root: it keeps no
 * directory, no mount and no namespace of its caller alive. 0 or a negative errno (specs: vfile.11).
 */
int confine_to_nothing(void);

/*
 * Goes to the root of the control groups, where the kernel's own threads are: whoever ends, freezes or limits the group
 * that we were started in means others. Only with cgroup v2, and only to the true root, not to that of a container. What
 * is refused is done without. To be called while /sys is there (specs: vfile.18).
 */
void confine_leave_cgroup(void);

/*
 * Keeps all memory, that of programs and libraries included, as soon as it has been used: what is needed to serve
 * must not have to be read in. Asks the kernel to end everything else first when memory runs out. What is refused is
 * done without. To be called while /proc is there (specs: vfile.12).
 */
void confine_memory(void);

/*
 * Reads in the program and its libraries, which confine_memory() then keeps. That takes a while, and can be done at
 * any time, also when everything else has been given up (specs: vfile.12).
 */
void confine_read_in(void);

/*
 * Gives up all capabilities but those of the bits `keep`, and the ways to gain some; core dumps and being traced as well. The user stays the
 * same: init spares only root's servers when it ends all processes. 0 or a negative errno (specs: vfile.13).
 */
int confine_privileges(uint64_t keep);

enum confine_work {
	CONFINE_IMAGE,
	CONFINE_IMAGES, /* and takes further ones; afterwards it can be confined to CONFINE_IMAGE */
	CONFINE_UNION,
	CONFINE_OVERLAY,
};

/*
 * From now on all threads have only the system calls of a server at this work; others fail with ENOSYS. 0, also where
 * this program has no list for this machine, or the kernel has no filters; or a negative errno (specs: vfile.14).
 */
int confine_calls(enum confine_work work);

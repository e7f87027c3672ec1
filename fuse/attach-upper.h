/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The upper and the work directory of a writable union, as its server gets them. */
#pragma once

#include "../merge/base.h"

/* O_PATH fds of two directories on the same mount, neither of them in the other; borrowed. */
struct attach_upper {
	int upper, work;
};

/*
 * Looks at them and at the layers (specs: overlay.3), and opens both anew: on a mount of their own, detached, on which no
 * symlink is followed, where the kernel allows that; *ret_clone keeps that mount, or is -EBADF. 0 with fds that the caller owns; or a negative errno and in
 * *ret_why a static sentence: -EXDEV where they are on different mounts, -EINVAL where one is in the other, -ELOOP where a layer
 * is in one of them.
 */
int attach_upper_open(const struct attach_upper *given, const int *layers, unsigned n,
		      struct attach_upper *ret, int *ret_clone, const char **ret_why);

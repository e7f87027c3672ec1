/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What apply.c and apply-stop.c share. */
#pragma once

#include "apply.h"

/* Where this run switches. */
struct apply_place {
	int root, directory;
};

/* Mounts the detached `tree` beneath the mount whose root `top` is: seen when that goes. 0 or a negative errno. */
int apply_mount_beneath(int tree, int top);

/*
 * Nobody writes any more to the old trees that will be replaced: all of them, before the first is (mutable.11). 0, or a
 * negative errno and *ret_why; then all are written again.
 */
int apply_stop(const struct apply_place *p, const struct apply_patience *patience,
	       struct apply_step *steps, size_t n, char **ret_why);

/* The old tree that is still there, or again, is written again. */
void apply_resume(const struct apply_step *s);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A server of ours as the back end that makes one tree of the layers, where overlayfs cannot be had. */
#pragma once

#include "stacking.h"

/* As overlay_mount(), by extmerge-fuse: with ret->server (specs: switch.14, union.13). */
int unite_mount(const struct stacking *s, struct stacking_info *ret);

/*
 * Mounts at most `max` directories that one layer alone brings in the tree that unite_mount() has made of the same
 * layers, whose root `tree` is, and adds their paths to *ret (strv). What cannot be is served. 0 or -ENOMEM
 * (specs: union.18).
 */
int unite_graft(const struct stacking *s, int tree, unsigned max, char ***ret,
		char ***ret_failed);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A server of ours as the back end that makes one tree of the layers, where overlayfs cannot be had. */
#pragma once

#include "stacking.h"

/* As overlay_mount(), by extmerge-fuse: with ret->server (specs: switch.14, union.13). */
int unite_mount(const struct stacking *s, struct stacking_info *ret);

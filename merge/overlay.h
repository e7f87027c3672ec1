/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The kernel's overlayfs as the back end that makes one tree of the layers. */
#pragma once

#include "stacking.h"

/*
 * A detached mount of the layers, by the best of the ways that this kernel knows (specs: switch.12). An fd that the
 * caller owns, and ret->by; or a negative errno, and perhaps ret->why. *ret is the caller's to end in any case.
 */
int overlay_mount(const struct stacking *s, struct stacking_info *ret);

/* Whether it could be had for the hierarchy: the host's own directory below an empty one. 0 or as overlay_mount(). */
int overlay_probe(const struct hierarchy *h, struct workshop *w,
		  struct stacking_info *ret);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The walk through a new layer that judges it against what lies under it (specs: layer.1 to layer.5). */
#pragma once

#include "layer.h"

/*
 * Walks the uppermost layer of the hierarchy, enters its names into the index, counts what it hides and
 * keeps witnesses. A directory that would stop being one, a whiteout, an attribute of overlayfs, an
 * os-release, or a tree beyond the limits becomes the extension's verdict.
 * 0, or a negative errno that is no fault of the extension.
 */
int survey_layer(struct hierarchy *h, struct layer *l);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A copy of what is in the layers, made in the work directory. */
#pragma once

#include "union.h"
#include "upper.h"

/*
 * Makes in the work directory, under the name `made`, a copy of a node of the union of layers: its type, owner, mode,
 * attributes, times, and, with `data`, what is in it, with its holes; of a directory only itself. On an error there is nothing left. 0 or a
 * negative errno: -EPERM where its data are elsewhere (specs: overlay.5).
 */
int copyup_make(struct upper *u, struct union_tree *layers, uint64_t node,
		const struct stat *st, bool data, const char *made);

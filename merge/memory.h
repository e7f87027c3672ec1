/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is written in the ephemeral modes is kept in: a tmpfs of ours, mounted in the merged tree (specs: mutable.*). */
#pragma once

#include "base.h"

#define MEMORY_LAYER \
	"upper" /* the layer that is written, in it; beside it lies the work directory */

/* A new one, detached, of `size` as tmpfs takes it, or by default where that is NULL or "". An fd, or a negative errno. */
int memory_make(const char *size);

/* That of the merged tree `tree`, a detached clone that the caller owns; -ENOENT where it has none. */
int memory_take(int tree);

/* The layer that is written, O_PATH, or a negative errno. */
int memory_open_layer(int memory);

/* Ends a renewal in it, as renewal_heal(). */
int memory_heal(int memory, const char *id);

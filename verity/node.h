/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Device nodes without udev: the machine's where they are right, our own where they are missing. */
#pragma once

#include "../merge/base.h"

/*
 * Opens the device number `device` of `type` (S_IFBLK or S_IFCHR), with O_CLOEXEC added to `flags`: through
 * `path` below /dev, if that is this very device, and otherwise through a node that is made in the directory
 * `nodes` and removed again at once. Returns an fd that the caller owns, or a negative errno: -ENXIO where
 * the kernel has no such device.
 */
int node_open(const char *path, mode_t type, dev_t device, int flags, int nodes);

/* As node_open(), but only through a node of our own. */
int node_open_own(mode_t type, dev_t device, int flags, int nodes);

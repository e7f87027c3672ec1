/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Other attributes for a union that is mounted. */
#pragma once

#include "../merge/base.h"

/*
 * Gives the union that is mounted on `directory` these MOUNT_ATTR_* in the place of those it has; without
 * MOUNT_ATTR_RDONLY it is writable, or -EROFS where it has no upper directory. 0, -EMEDIUMTYPE for what is no union, or
 * another negative errno (specs: union.24).
 */
int remount(const char *directory, uint64_t attributes);

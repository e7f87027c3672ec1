/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Mounts of file systems that lie on no device: proc, tmpfs. */
#pragma once

#include <stdint.h>

#include "base.h"

/*
 * A new one, detached, with one option and `attributes` (MOUNT_ATTR_*): an fd that the caller owns, or a negative errno. It
 * loads no module, as fs.h does.
 */
int virtualfs_mount(const char *type, const char *key, const char *value,
		    uint64_t attributes);

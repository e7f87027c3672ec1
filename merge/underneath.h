/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The directory that a merged tree covers, for who may not take a mount aside to look below it. */
#pragma once

#include "mount.h"

/*
 * O_PATH, of the directory on which the tree lies whose root `tree` is, as the table `m` of this namespace has it. Its server,
 * as process.h describes it, has that directory open as a layer, and shows what it has open to processes of the same user
 * if it has no privilege (specs: union.22); what is found is believed for its path and mount, not for who has it. The caller
 * owns the fd. -ENOENT where the server has no such directory, -EACCES where it cannot be looked at, -ESRCH where it is
 * gone, or another negative errno.
 */
int underneath_open(const struct mounts *m, int tree, const char *server);

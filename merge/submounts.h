/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The mounts of the host on a hierarchy, which are seen in a merged tree as well. */
#pragma once

#include "mount.h"

/*
 * The mounts of the table below the hierarchy `fd` that a person sees, outermost only, as paths below it
 * (strv), without the grafts of a tree of ours that is there.
 */
int submounts_list(const struct mounts *m, int fd, char ***ret);

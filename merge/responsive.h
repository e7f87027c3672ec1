/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whether a directory answers: one on a dead network or FUSE server would hold us for ever. */
#pragma once

#include "mount.h"

/* Whether any file system in the table is one whose answers come from elsewhere. */
bool responsive_has_doubt(const struct mounts *m);

/*
 * Where there is doubt about what is mounted (FUSE, NFS, CIFS, ...), lets a child
 * look into `directory` below `root`, at every entry and its first byte (specs: discover.responsive).
 * 0 where it answers or is missing; entries that do not answer in time are
 * appended to *ret_hung (strv). -ETIMEDOUT where the directory itself, or too many of its
 * entries, do not answer; another negative errno where there can be no child.
 */
int responsive_check(int root, const char *directory, char ***ret_hung);

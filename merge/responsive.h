/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whether a directory answers: one on a dead network or FUSE server would hold us for ever. */
#pragma once

/*
 * Where a file system is mounted whose answers come from elsewhere (FUSE, NFS, CIFS, ...), lets a child
 * look into `directory` below `root`, at every entry and its first bytes. 0 where it answers, is
 * missing, or all mounts are local; -ETIMEDOUT where it did not answer in time (specs: discover.responsive).
 */
int responsive_check(int root, const char *directory);

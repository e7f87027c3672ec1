/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Entries of one tree made anew in another, with mode, owner, times and extended attributes; each path below the two
 * directories, without following a symlink (specs: written.8).
 */
#pragma once

#include "base.h"

/*
 * Copies the entry at `path` from below `from` to below `to`, where the directories above it have to be: a file with
 * its content, a symlink, a directory without what is in it (one that is there is given its looks). With `marks` also
 * devices, FIFOs and sockets, whiteouts among them, and that a directory is opaque. 0 or a negative errno.
 */
int copy_entry(int from, int to, const char *path, bool marks);

/* Makes the directories above the path that are missing, each as it is in `from`. */
int copy_parents(int from, int to, const char *path);

/* The entry with all that is in it; with marks. */
int copy_tree(int from, int to, const char *path);

/* Gives all directories below `to` the times that they have in `from`, as their contents have changed them. */
int copy_times(int from, int to);

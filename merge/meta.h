/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The uppermost layer of every merged tree: an empty directory that looks like the host's own, and
 * carries the record as extended attributes. No file of it is seen in the tree, no layer can
 * write it, and it needs no /run (specs: record.1).
 */
#pragma once

#include "workshop.h"

/*
 * A tree that can be written has another uppermost layer, which somebody owns. There the record is on a directory of the
 * workshop that is mounted at a place of its own in the tree (specs: mutable.9), and memory, if any, below it.
 */
#define META_PLACE ".extmerge"
#define META_MEMORY "memory"
#define META_SOURCE "extmerge:" /* begins the sources of all our mounts */

/*
 * Makes the directory in the scratch, with mode, owner, times and attributes (SELinux label, ACL) of
 * `model` (any fd), or 0755 root where `model` is negative. Returns an fd or a negative errno.
 */
int meta_make(struct workshop *w, int model);

/*
 * The place for the record of a tree that can be written: a mount point in `meta`, which is then a layer of it, and a
 * directory of the scratch that is to be mounted there. Returns the latter's fd or a negative errno.
 */
int meta_make_place(struct workshop *w, int meta);

/* Replaces the text that the directory carries. */
int meta_write(int meta, const char *text, size_t len);

/* Reads it through the merged tree. -ENODATA where there is none. The caller owns *ret. */
int meta_read(int tree, char **ret, size_t *ret_len);

/* Gives the directory `to` mode, owner, times and attributes of `model`, as far as its file system has them. */
int meta_copy_looks(int model, int to);

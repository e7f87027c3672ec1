/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The uppermost layer of every merged tree: an empty directory that looks like the host's own, and
 * carries the record as extended attributes. No file of it is seen in the tree, no layer can
 * write it, and it needs no /run (specs: record.1).
 */
#pragma once

#include "workshop.h"

/*
 * Makes the directory in the scratch, with mode, owner, times and attributes (SELinux label, ACL) of
 * `model` (any fd), or 0755 root where `model` is negative. Returns an fd or a negative errno.
 */
int meta_make(struct workshop *w, int model);

/* Replaces the text that the directory carries. */
int meta_write(int meta, const char *text, size_t len);

/* Reads it through the merged tree. -ENODATA where there is none. The caller owns *ret. */
int meta_read(int tree, char **ret, size_t *ret_len);

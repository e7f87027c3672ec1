/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a walk through a tree has seen, so that it can be gone through again without touching the tree. */
#pragma once

#include "tree.h"

struct census;

/*
 * Walks the tree as tree_walk() does, writes down its entries, and adds them to the digest as
 * tree_digest_entry() does. 0 with *ret, owned by the caller; or what tree_walk() returns.
 */
int census_take(int root, const struct tree_limits *limits, struct digest *d,
		struct census **ret);

/*
 * Shows the visitor the same entries in the same order. Of their stat only the type is known; the
 * parent is `root` for what is directly in it and -EBADF below; the fd of a directory that was
 * walked is `root` as well, which only says that its contents follow. 0, what enter() returned, or
 * -ENOMEM.
 */
int census_replay(const struct census *c, int root, const struct tree_visitor *visitor);

void census_free(struct census *c);
DEFINE_CLEANUP(struct census, census_free)

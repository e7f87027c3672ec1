/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whether directories that become layers of one tree lie in each other, which overlayfs refuses (layer.6). */
#pragma once

#include <sys/stat.h>

#include "base.h"

/* A directory that is a layer, or lies above one. */
struct nesting_place {
	dev_t device;
	ino_t inode;
	unsigned owner; /* the layer that it is, or lies above of */
	bool is_layer;
};

/* All of them so far. Zeroed is empty. */
struct nesting {
	struct nesting_place *places;
	size_t n;
};

enum nesting_relation {
	NESTING_APART,
	NESTING_SAME,	/* it is another layer */
	NESTING_INSIDE, /* it lies inside of another layer */
	NESTING_AROUND, /* another layer lies inside of it */
};

/*
 * Compares the directory `fd` with all that were added before and, if it is apart from them, adds it as
 * layer number `owner`. Each directory above a layer is looked at once. 0 with *ret and, for what is
 * not apart, *ret_other; or a negative errno.
 */
int nesting_add(struct nesting *g, int fd, unsigned owner, enum nesting_relation *ret,
		unsigned *ret_other);

/* Takes back all that was added since `n` was g->n. */
void nesting_revert(struct nesting *g, size_t n);

void nesting_done(struct nesting *g);

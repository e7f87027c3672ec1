/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the operations of unions share, written to or not, and nobody else. */
#pragma once

#include <fuse_lowlevel.h>

#include "../merge/base.h"

#define BUFFER_SIZE \
	((size_t)1024 * 1024) /* the largest request that kernels make by default */

static inline void reply(fuse_req_t request, int r) {
	fuse_reply_err(request, -r);
}

/* The `n` bytes of an attribute's value, or a negative errno, to who has asked for `size`: with 0 for the number alone. */
void reply_xattr(fuse_req_t request, const char *value, ssize_t n, size_t size);

/* The same for the list of their names, which is changed: only root sees those of "trusted.". */
void reply_xattr_names(fuse_req_t request, char *list, ssize_t n, size_t size);

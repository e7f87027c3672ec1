/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* statx(2) as the kernel asks for it, of which libfuse before 3.18 knows nothing: attributes and the time of birth (specs: union.25). Pure. */
#pragma once

#include <linux/fuse.h>
#include <sys/stat.h>

#include "../merge/base.h"

#define BIRTH_OPCODE 52 /* FUSE_STATX; Linux 6.6 */

/* As the kernel reads it: what comes behind the header is there only without an error. */
struct birth_answer {
	struct fuse_out_header header; /* whose `len` is the length of all of it */
	uint64_t valid;		       /* seconds */
	uint32_t valid_ns, flags;
	uint64_t spare[2];
	struct statx attributes;
};

/* Whether a request of `n` bytes asks for it, and of which node. */
bool birth_is_asked(const char *request, size_t n, uint64_t *ret_node);

/*
 * The answer to it: `r`, 0 or a negative errno; if 0, `st`, good for `valid` seconds, and of `birth` the time of birth where its
 * stx_mask says that there is one.
 */
void birth_answer(const char *request, int r, const struct stat *st,
		  const struct statx *birth, uint32_t valid, struct birth_answer *ret);

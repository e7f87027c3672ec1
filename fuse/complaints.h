/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Lines about blocks that were not given out: clear, and never a flood. */
#pragma once

#include "../verity/hashtree.h"

#define COMPLAINTS_MAX 10      /* lines in each period */
#define COMPLAINTS_PERIOD 600  /* seconds */
#define COMPLAINT_LINE_MAX 512 /* bytes */

struct complaints;

/*
 * Complaints about the image `name`, which any text may be, to be written to `fd`, which is borrowed. 0 with *ret,
 * which the caller owns, or -ENOMEM.
 */
int complaints_new(const char *name, int fd, struct complaints **ret);
void complaints_free(struct complaints *c);
DEFINE_CLEANUP(struct complaints, complaints_free)

/*
 * Writes one line that names the image, the block and its offset, and why (`error` of verified_read()), unless
 * it is the last one again, or there were too many of late: those are counted, and the next line that is
 * written says how many. `now` is in seconds of any clock that does not go back. For several threads. A log that
 * takes no more, or fails, changes nothing (specs: vfile.5).
 */
void complaints_add(struct complaints *c, const struct hashtree_fault *fault, int error,
		    uint64_t now);

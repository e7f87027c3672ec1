/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The FUSE side of the verified file: one regular file, the root of its mount. */
#pragma once

#include "complaints.h"
#include "verified.h"

struct serve;

/*
 * Answers the kernel's requests on `fuse_fd`, a connection that is mounted, with the bytes of `file` in
 * `threads` threads; it belongs to the serve, and is closed if that cannot be made. What is not given out is named to `log`. Both must outlive the serve.
 * Takes the kernel's first request, and with it everything that the work needs. 0 with *ret, which the caller
 * owns, or a negative errno.
 */
int serve_new(int fuse_fd, struct verified *file, struct complaints *log,
	      unsigned threads, struct serve **ret);
void serve_free(struct serve *s);
DEFINE_CLEANUP(struct serve, serve_free)

/*
 * Serves until nobody uses the mount any more: 0. `ready` is called when all threads are at work. A negative
 * errno, of that or of a connection that broke, leaves threads behind: then the process must end, without
 * serve_free().
 */
int serve_run(struct serve *s, int (*ready)(void *userdata), void *userdata);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The FUSE side of a union. */
#pragma once

#include "union-io.h"
#include "union.h"

struct serve_union;

/*
 * Answers the kernel's requests on `fuse_fd`, a connection that is mounted, with the nodes of `u`, which must outlive
 * it, in `threads` threads. As serve_new() and serve_run(); also, where passthrough is asked for and the kernel does not
 * do it for us, -EPERM or what else it says.
 */
int serve_union_new(int fuse_fd, struct union_tree *u, unsigned threads, enum union_io io,
		    struct serve_union **ret);
void serve_union_free(struct serve_union *s);
DEFINE_CLEANUP(struct serve_union, serve_union_free)

/* session_enclose() */
void serve_union_enclose(struct serve_union *s);

int serve_union_run(struct serve_union *s, int (*ready)(void *userdata), void *userdata);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The FUSE side of a writable union. */
#pragma once

#include "overlay.h"

struct serve_overlay;

/* As serve_union_new() and serve_union_run(). */
int serve_overlay_new(int fuse_fd, struct overlay *o, unsigned threads,
		      struct serve_overlay **ret);
void serve_overlay_free(struct serve_overlay *s);
DEFINE_CLEANUP(struct serve_overlay, serve_overlay_free)

/* session_enclose() */
void serve_overlay_enclose(struct serve_overlay *s);

int serve_overlay_run(struct serve_overlay *s, int (*ready)(void *userdata),
		      void *userdata);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* By libfuse 3.17 and later. */
#define FUSE_USE_VERSION 317
#include "passthrough.h"

#include <fuse_lowlevel.h>

int passthrough_prepare(struct passthrough *p, struct fuse_session *s, int fuse_fd) {
	return 0;
}

/* libfuse tells the kernel one more than this. */
void passthrough_want(struct passthrough *p, struct fuse_conn_info *conn) {
	if (p->takes_suid)
		p->suid_granted = fuse_set_feature_flag(conn, FUSE_CAP_HANDLE_KILLPRIV_V2);
	if (p->depth == 0)
		return;
	p->granted = fuse_set_feature_flag(conn, FUSE_CAP_PASSTHROUGH);
	conn->max_backing_stack_depth = p->depth - 1;
}

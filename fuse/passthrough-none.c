/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* libfuse before 3.14 knows nothing of it, and cannot be told. */
#include "passthrough.h"

int passthrough_prepare(struct passthrough *p, struct fuse_session *s, int fuse_fd) {
	return 0;
}

void passthrough_want(struct passthrough *p, struct fuse_conn_info *conn) {
	p->granted = p->suid_granted = false;
}

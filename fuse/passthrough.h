/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Asking the kernel, when a connection begins, to read from files of ours instead of asking; and for what else libfuse has no word. */
#pragma once

#include "../merge/base.h"

struct fuse_session;
struct fuse_conn_info;

/* What a session's userdata begins with, where passthrough is wanted. */
struct passthrough {
	unsigned depth; /* 1; 2 where the files may be on a stacked file system themselves; 0: not wanted */
	bool granted;	 /* the kernel was told that it may */
	bool takes_suid; /* wanted: who writes loses the bits by us (specs: overlay.11) */
	bool suid_granted;	    /* the kernel leaves it to us */
	uint64_t greeting;	    /* the number of the kernel's first request */
	bool offered, suid_offered; /* in that request */
};

/* To be called when the session has its connection, before the first request. 0 or a negative errno. */
int passthrough_prepare(struct passthrough *p, struct fuse_session *s, int fuse_fd);

/* To be called when the session's conditions are settled (operation init). */
void passthrough_want(struct passthrough *p, struct fuse_conn_info *conn);

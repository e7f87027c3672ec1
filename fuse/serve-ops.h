/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the operations of a union share among each other, and with nobody else. */
#pragma once

#include <pthread.h>

#include "openings.h"
#include "ops.h"
#include "passthrough.h"
#include "serve-union.h"

struct serve_union {
	struct passthrough passthrough; /* the first, see passthrough.h */
	struct openings *openings;	/* NULL where data are given out by the server */
	struct session *session;
	struct union_tree *tree;
	pthread_key_t current; /* the buffer of a thread */
	bool greeted, opens_unasked, lists_unasked;
	unsigned n_buffers;
	char **buffers;
	int (*ready)(void *userdata);
	void *userdata; /* of ready */
};

static inline struct union_tree *tree_of(fuse_req_t request) {
	const struct serve_union *s = fuse_req_userdata(request);

	return s->tree;
}

static inline char *buffer_of(fuse_req_t request) {
	const struct serve_union *s = fuse_req_userdata(request);

	return pthread_getspecific(s->current);
}

/* Data and extended attributes. */
void serve_on_open(fuse_req_t request, fuse_ino_t node, struct fuse_file_info *info);
void serve_on_release(fuse_req_t request, fuse_ino_t node, struct fuse_file_info *info);
void serve_on_read(fuse_req_t request, fuse_ino_t node, size_t size, off_t offset,
		   struct fuse_file_info *info);
void serve_on_lseek(fuse_req_t request, fuse_ino_t node, off_t offset, int whence,
		    struct fuse_file_info *info);
void serve_on_getxattr(fuse_req_t request, fuse_ino_t node, const char *name, size_t size);
void serve_on_listxattr(fuse_req_t request, fuse_ino_t node, size_t size);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the operations of a writable union share among each other, and with nobody else. */
#pragma once

#include <pthread.h>

#include "ops.h"
#include "passthrough.h"
#include "serve-overlay.h"
#include "session.h"

struct serve_overlay {
	struct passthrough greeting; /* the first, see passthrough.h */
	struct session *session;
	struct overlay *overlay;
	pthread_key_t current; /* the buffer of a thread */
	bool greeted;
	size_t listed; /* bytes of all listings that are held */
	unsigned n_buffers;
	char **buffers;
	int (*ready)(void *userdata);
	void *userdata; /* of ready */
};

static inline struct overlay *overlay_of(fuse_req_t request) {
	const struct serve_overlay *s = fuse_req_userdata(request);

	return s->overlay;
}

static inline char *buffer_of(fuse_req_t request) {
	const struct serve_overlay *s = fuse_req_userdata(request);

	return pthread_getspecific(s->current);
}

static inline struct overlay_caller caller_of(fuse_req_t request) {
	const struct fuse_ctx *c = fuse_req_ctx(request);

	return (struct overlay_caller){ c->uid, c->gid, c->umask };
}

static inline void fill_entry(struct fuse_entry_param *e, uint64_t node,
			      const struct stat *st) {
	*e = (struct fuse_entry_param){
		.ino = node,
		.attr = *st,
		.attr_timeout = SESSION_FOREVER,
		.entry_timeout = SESSION_FOREVER,
	};
}

/* Directories. */
void serve_overlay_on_opendir(fuse_req_t request, fuse_ino_t node,
			      struct fuse_file_info *info);
void serve_overlay_on_releasedir(fuse_req_t request, fuse_ino_t node,
				 struct fuse_file_info *info);
void serve_overlay_on_readdir(fuse_req_t request, fuse_ino_t node, size_t size,
			      off_t position, struct fuse_file_info *info);
void serve_overlay_on_readdirplus(fuse_req_t request, fuse_ino_t node, size_t size,
				  off_t position, struct fuse_file_info *info);
void serve_overlay_on_fsyncdir(fuse_req_t request, fuse_ino_t node, int datasync,
			       struct fuse_file_info *info);

/* Data and extended attributes. */
void serve_overlay_on_open(fuse_req_t request, fuse_ino_t node,
			   struct fuse_file_info *info);
void serve_overlay_on_release(fuse_req_t request, fuse_ino_t node,
			      struct fuse_file_info *info);
void serve_overlay_on_read(fuse_req_t request, fuse_ino_t node, size_t size, off_t offset,
			   struct fuse_file_info *info);
void serve_overlay_on_write(fuse_req_t request, fuse_ino_t node, const char *data,
			    size_t size, off_t offset, struct fuse_file_info *info);
void serve_overlay_on_fsync(fuse_req_t request, fuse_ino_t node, int datasync,
			    struct fuse_file_info *info);
void serve_overlay_on_fallocate(fuse_req_t request, fuse_ino_t node, int mode,
				off_t offset, off_t length, struct fuse_file_info *info);
void serve_overlay_on_lseek(fuse_req_t request, fuse_ino_t node, off_t offset, int whence,
			    struct fuse_file_info *info);
void serve_overlay_on_copy_file_range(fuse_req_t request, fuse_ino_t from,
				      off_t from_offset, struct fuse_file_info *from_info,
				      fuse_ino_t to, off_t to_offset,
				      struct fuse_file_info *to_info, size_t size,
				      int flags);
void serve_overlay_on_getxattr(fuse_req_t request, fuse_ino_t node, const char *name,
			       size_t size);
void serve_overlay_on_listxattr(fuse_req_t request, fuse_ino_t node, size_t size);
void serve_overlay_on_setxattr(fuse_req_t request, fuse_ino_t node, const char *name,
			       const char *value, size_t size, int flags);
void serve_overlay_on_removexattr(fuse_req_t request, fuse_ino_t node, const char *name);

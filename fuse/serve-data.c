/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The operations of a union on data and extended attributes. */
#define FUSE_USE_VERSION 35
#include "serve-ops.h"

#include <linux/fuse.h>
#include <string.h>

#include "../merge/file.h"

#ifndef FOPEN_PASSTHROUGH
#define FOPEN_PASSTHROUGH (1 << 7) /* Linux 6.9 */
#endif
#ifndef FOPEN_NOFLUSH
#define FOPEN_NOFLUSH (1 << 5) /* Linux 5.16 */
#endif

/* --- data --- */

/*
 * The answer of protocol 7.40, which has the number of a file in place of its padding. Where nothing is written,
 * close() has nothing to wait for.
 */
static void open_through(fuse_req_t request, struct openings *o, fuse_ino_t node) {
	struct opening opened;
	struct fuse_open_out out;
	int r = openings_open(o, node, &opened);

	if (r < 0) {
		reply(request, r);
		return;
	}
	out = (struct fuse_open_out){
		.fh = opened.handle,
		.open_flags = FOPEN_NOFLUSH |
			      (opened.backing > 0 ? FOPEN_PASSTHROUGH : FOPEN_KEEP_CACHE),
		.padding = (uint32_t)opened.backing,
	};
	if (fuse_reply_buf(request, (const char *)&out, sizeof(out)) < 0)
		openings_release(o, opened.handle);
}

/* After ENOSYS the kernel opens without asking, and keeps what was read. */
void serve_on_open(fuse_req_t request, fuse_ino_t node, struct fuse_file_info *info) {
	const struct serve_union *s = fuse_req_userdata(request);

	info->keep_cache = 1;
	if (s->openings)
		open_through(request, s->openings, node);
	else if (s->opens_unasked)
		fuse_reply_err(request, ENOSYS);
	else
		fuse_reply_open(request, info);
}

void serve_on_release(fuse_req_t request, fuse_ino_t node, struct fuse_file_info *info) {
	const struct serve_union *s = fuse_req_userdata(request);

	if (s->openings)
		openings_release(s->openings, info->fh);
	reply(request, 0);
}

void serve_on_read(fuse_req_t request, fuse_ino_t node, size_t size, off_t offset,
		   struct fuse_file_info *info) {
	struct union_tree *u = tree_of(request);
	char *buffer = buffer_of(request);
	struct union_file f;
	ssize_t n = size > BUFFER_SIZE ? -EINVAL : union_open(u, node, &f);

	if (n == 0) {
		n = file_read_at(f.fd, buffer, size, offset);
		union_close(u, &f);
	}
	if (n < 0)
		reply(request, (int)n);
	else
		fuse_reply_buf(request, buffer, (size_t)n);
}

void serve_on_lseek(fuse_req_t request, fuse_ino_t node, off_t offset, int whence,
		    struct fuse_file_info *info) {
	struct union_tree *u = tree_of(request);
	struct union_file f;
	int r = union_open(u, node, &f);
	off_t found = -1;

	if (r == 0) {
		found = lseek(f.fd, offset, whence);
		r = found < 0 ? -errno : 0;
		union_close(u, &f);
	}
	if (r < 0)
		reply(request, r);
	else
		fuse_reply_lseek(request, found);
}

/* --- extended attributes --- */

/* union.17 */
static ssize_t say_io(const struct serve_union *s, char *value, size_t size) {
	const char *word = union_io_name(s->openings ? UNION_IO_PASSTHROUGH
						     : UNION_IO_CACHED);
	size_t length = strlen(word);

	if (size >= length)
		memcpy(value, word, length);
	return (ssize_t)length;
}

/* union.9: after ENOSYS the kernel never asks again, so that is said only where no layer can have any. */
void serve_on_getxattr(fuse_req_t request, fuse_ino_t node, const char *name,
		       size_t size) {
	struct union_tree *u = tree_of(request);
	char *buffer = buffer_of(request);
	ssize_t n = -ENOSYS;

	if (node == FUSE_ROOT_ID && strcmp(name, UNION_IO_XATTR) == 0)
		n = say_io(fuse_req_userdata(request), buffer, BUFFER_SIZE);
	else if (union_has_xattrs(u))
		n = union_getxattr(u, node, name, buffer,
				   size < BUFFER_SIZE ? size : BUFFER_SIZE);
	reply_xattr(request, buffer, n, size);
}

void serve_on_listxattr(fuse_req_t request, fuse_ino_t node, size_t size) {
	struct union_tree *u = tree_of(request);
	char *buffer = buffer_of(request);
	ssize_t n = -ENOSYS;

	if (union_has_xattrs(u))
		n = union_listxattr(u, node, buffer, BUFFER_SIZE);
	reply_xattr_names(request, buffer, n, size);
}

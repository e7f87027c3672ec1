/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The operations of a writable union on data and extended attributes. */
#define FUSE_USE_VERSION 35
#include <fcntl.h>
#include <string.h>

#include "../merge/file.h"
#include "overlay-ops.h"
#include "union-io.h"

/* --- data --- */

void serve_overlay_on_open(fuse_req_t request, fuse_ino_t node,
			   struct fuse_file_info *info) {
	struct overlay *o = overlay_of(request);
	const struct overlay_caller by = caller_of(request);
	int r = overlay_open(o, node, info->flags, session_kills_suid() ? &by : NULL);

	if (r < 0) {
		reply(request, r);
		return;
	}
	info->keep_cache = 1;
	if (fuse_reply_open(request, info) < 0)
		overlay_close(o, node);
}

void serve_overlay_on_release(fuse_req_t request, fuse_ino_t node,
			      struct fuse_file_info *info) {
	overlay_close(overlay_of(request), node);
	reply(request, 0);
}

/* What was written before an error is acknowledged; the error comes again with the rest. */
static ssize_t write_all(int fd, const char *buffer, size_t size, off_t offset) {
	size_t done = 0;

	while (done < size) {
		ssize_t n = pwrite(fd, buffer + done, size - done, offset + (off_t)done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return done > 0 ? (ssize_t)done : -errno;
		done += (size_t)n;
	}
	return (ssize_t)done;
}

void serve_overlay_on_read(fuse_req_t request, fuse_ino_t node, size_t size, off_t offset,
			   struct fuse_file_info *info) {
	struct overlay *o = overlay_of(request);
	char *buffer = buffer_of(request);
	struct overlay_data d;
	ssize_t n = size > BUFFER_SIZE ? -EINVAL : overlay_data(o, node, &d);

	if (n == 0) {
		n = file_read_at(d.fd, buffer, size, offset);
		overlay_data_end(o, &d);
	}
	if (n < 0)
		reply(request, (int)n);
	else
		fuse_reply_buf(request, buffer, (size_t)n);
}

/* overlay.11: of what the kernel changes only by asking us, it says nothing: then only root keeps them. */
static int kill_suid(fuse_req_t request, fuse_ino_t node, int fd, bool kills) {
	const struct serve_overlay *s = fuse_req_userdata(request);
	const struct overlay_caller by = caller_of(request);
	int r = kills && s->greeting.suid_granted ? overlay_kill_suid(fd, &by) : 0;

	if (r > 0) /* the kernel keeps the mode */
		session_invalidate(s->session, node, false);
	return r < 0 ? r : 0;
}

void serve_overlay_on_write(fuse_req_t request, fuse_ino_t node, const char *data,
			    size_t size, off_t offset, struct fuse_file_info *info) {
	struct overlay *o = overlay_of(request);
	struct overlay_data d;
	ssize_t n = overlay_data(o, node, &d);

	if (n == 0) {
		n = kill_suid(request, node, d.fd, session_kills_suid());
		if (n == 0)
			n = write_all(d.fd, data, size, offset);
		overlay_data_end(o, &d);
	}
	if (n < 0)
		reply(request, (int)n);
	else
		fuse_reply_write(request, (size_t)n);
}

/* Calls `act` with an fd of the file. */
static int with_data(struct overlay *o, fuse_ino_t node, int (*act)(int fd, void *data),
		     void *data) {
	struct overlay_data d;
	int r = overlay_data(o, node, &d);

	if (r < 0)
		return r;
	r = act(d.fd, data);
	overlay_data_end(o, &d);
	return r;
}

static int sync_data(int fd, void *only_data) {
	int r = *(int *)only_data ? fdatasync(fd) : fsync(fd);

	return r < 0 ? -errno : 0;
}

void serve_overlay_on_fsync(fuse_req_t request, fuse_ino_t node, int datasync,
			    struct fuse_file_info *info) {
	reply(request, with_data(overlay_of(request), node, sync_data, &datasync));
}

void serve_overlay_on_fallocate(fuse_req_t request, fuse_ino_t node, int mode,
				off_t offset, off_t length, struct fuse_file_info *info) {
	struct overlay *o = overlay_of(request);
	struct overlay_data d;
	int r = overlay_data(o, node, &d);

	if (r == 0) {
		r = kill_suid(request, node, d.fd, fuse_req_ctx(request)->uid != 0);
		if (r == 0 && fallocate(d.fd, mode, offset, length) < 0)
			r = -errno;
		overlay_data_end(o, &d);
	}
	reply(request, r);
}

struct sought {
	int whence;
	off_t offset;
};

static int seek(int fd, void *data) {
	struct sought *a = data;

	a->offset = lseek(fd, a->offset, a->whence);
	return a->offset < 0 ? -errno : 0;
}

void serve_overlay_on_lseek(fuse_req_t request, fuse_ino_t node, off_t offset, int whence,
			    struct fuse_file_info *info) {
	struct sought a = { whence, offset };
	int r = with_data(overlay_of(request), node, seek, &a);

	if (r < 0)
		reply(request, r);
	else
		fuse_reply_lseek(request, a.offset);
}

void serve_overlay_on_copy_file_range(fuse_req_t request, fuse_ino_t from,
				      off_t from_offset, struct fuse_file_info *from_info,
				      fuse_ino_t to, off_t to_offset,
				      struct fuse_file_info *to_info, size_t size,
				      int flags) {
	struct overlay *o = overlay_of(request);
	struct overlay_data in, out;
	ssize_t n = overlay_data(o, from, &in);

	if (n < 0) {
		reply(request, (int)n);
		return;
	}
	n = overlay_data(o, to, &out);
	if (n == 0) {
		n = kill_suid(request, to, out.fd, fuse_req_ctx(request)->uid != 0);
		if (n == 0) {
			n = copy_file_range(in.fd, &from_offset, out.fd, &to_offset, size,
					    (unsigned)flags);
			n = n < 0 ? -errno : n;
		}
		overlay_data_end(o, &out);
	}
	overlay_data_end(o, &in);
	if (n < 0)
		reply(request, (int)n);
	else
		fuse_reply_write(request, (size_t)n);
}

/* --- extended attributes --- */

/* What the root says of the union, or NULL for any other attribute. */
static const char *say_of_union(const char *name) {
	if (strcmp(name, UNION_UPPER_XATTR) == 0)
		return "yes";
	return strcmp(name, UNION_IO_XATTR) == 0 ? union_io_name(UNION_IO_CACHED) : NULL;
}

void serve_overlay_on_getxattr(fuse_req_t request, fuse_ino_t node, const char *name,
			       size_t size) {
	const char *said = node == FUSE_ROOT_ID ? say_of_union(name) : NULL;
	char *buffer = buffer_of(request);
	ssize_t n;

	if (said) {
		reply_xattr(request, said, (ssize_t)strlen(said), size);
		return;
	}
	n = overlay_getxattr(overlay_of(request), node, name, buffer,
			     size < BUFFER_SIZE ? size : BUFFER_SIZE);

	reply_xattr(request, buffer, n, size);
}

void serve_overlay_on_listxattr(fuse_req_t request, fuse_ino_t node, size_t size) {
	char *buffer = buffer_of(request);
	ssize_t n = overlay_listxattr(overlay_of(request), node, buffer, BUFFER_SIZE);

	reply_xattr_names(request, buffer, n, size);
}

void serve_overlay_on_setxattr(fuse_req_t request, fuse_ino_t node, const char *name,
			       const char *value, size_t size, int flags) {
	const struct overlay_caller by = caller_of(request);

	reply(request,
	      overlay_setxattr(overlay_of(request), node, name, value, size, flags, &by));
}

void serve_overlay_on_removexattr(fuse_req_t request, fuse_ino_t node, const char *name) {
	const struct overlay_caller by = caller_of(request);

	reply(request, overlay_setxattr(overlay_of(request), node, name, NULL, 0, 0, &by));
}

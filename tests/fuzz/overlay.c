/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Any layers and any callers of a writable union: each request is answered once, with sound answers; nothing of what lies
 * beside is shown, and nothing is changed there or in a layer (specs: overlay.17).
 */
#include <assert.h>
#include <fcntl.h>
#include <ftw.h>
#include <sched.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "fuse/serve-overlay.h"
#include "merge/base.h"
#include "peer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define WRITTEN "what was written"
#define HANDLES 4

/* --- the server --- */

static int ready(void *userdata) {
	return 0;
}

static void serve(int fd, const int *layers, int tree) {
	_cleanup_(overlay_freep) struct overlay *o = NULL;
	_cleanup_(serve_overlay_freep) struct serve_overlay *s = NULL;
	_cleanup_close_ int upper = openat(tree, "3", O_PATH | O_DIRECTORY | O_CLOEXEC),
			    work = -EBADF;
	const char *why;
	int r;

	if (unshare(CLONE_FS) < 0 || mkdirat(tree, "work", 0700) < 0)
		abort();
	work = openat(tree, "work", O_PATH | O_DIRECTORY | O_CLOEXEC);
	r = overlay_new(layers, PEER_LAYERS, WHITEOUT_USER, upper, work, &o, &why);
	if (r == 0) {
		why = "cannot begin to serve";
		r = serve_overlay_new(fd, o, 1, &s);
	}
	if (r < 0) {
		fprintf(stderr, "%s: %s\n", why, strerror(-r));
		abort();
	}
	serve_overlay_run(s, ready, NULL);
}

/* --- directories: what the kernel has open it says by the server's own handle --- */

static struct { uint64_t handle, node; } handles[HANDLES];

static void open_directory(struct peer *p, unsigned i) {
	const struct fuse_open_in in = { .flags = 0 };
	struct fuse_open_out out;
	uint64_t node = peer_node(p);

	peer_ask(p, FUSE_OPENDIR, node, peer_put(p, 0, &in, sizeof(in)));
	if (p->failed)
		return;
	memcpy(&out, p->answer, sizeof(out));
	handles[i].handle = out.fh;
	handles[i].node = node;
}

static void close_directory(struct peer *p, unsigned i) {
	const struct fuse_release_in in = { .fh = handles[i].handle };

	peer_ask(p, FUSE_RELEASEDIR, handles[i].node, peer_put(p, 0, &in, sizeof(in)));
	handles[i].handle = 0;
}

/* The kernel does so for all that is open when the last user leaves. */
static void close_directories(struct peer *p) {
	for (unsigned i = 0; i < HANDLES; i++)
		if (handles[i].handle)
			close_directory(p, i);
}

static void use_directory(struct peer *p) {
	unsigned i = peer_next(p, HANDLES);
	struct fuse_read_in in = { .fh = handles[i].handle };

	if (!handles[i].handle) {
		open_directory(p, i);
		return;
	}
	if (peer_next(p, 4) == 0) {
		close_directory(p, i);
		return;
	}
	in.offset = peer_next(p, 3) ? peer_next(p, 16)
				    : UINT64_MAX / (1 + peer_next(p, 2));
	in.size = peer_next(p, 256) * 64;
	peer_ask(p, peer_next(p, 2) ? FUSE_READDIR : FUSE_READDIRPLUS, handles[i].node,
		 peer_put(p, 0, &in, sizeof(in)));
}

/* --- changes; numbers are small, so that no disk is filled, or so large that all is refused --- */

static uint64_t position(struct peer *p) {
	static const uint64_t huge[] = { UINT64_MAX, INT64_MAX, UINT64_C(1) << 62 };
	unsigned n = peer_next(p, 67);

	return n < 64 ? n * UINT64_C(1111) : huge[n - 64];
}

static uint32_t mode(struct peer *p) {
	static const uint32_t types[] = { S_IFREG,  S_IFIFO, S_IFCHR, S_IFBLK,
					  S_IFSOCK, S_IFDIR, S_IFLNK, 0 };

	return types[peer_next(p, ARRAY_SIZE(types))] | peer_next(p, 8) << 9 | 0700;
}

static size_t put_make(struct peer *p, uint32_t opcode) {
	const struct fuse_mknod_in node = { .mode = mode(p),
					    .rdev = peer_next(p, 2) * 259 };
	const struct fuse_mkdir_in directory = { .mode = mode(p) };
	const struct fuse_create_in file = { .flags = O_CREAT | peer_next(p, 4),
					     .mode = mode(p),
					     .umask = peer_next(p, 2) * 022 };
	size_t n;

	if (opcode == FUSE_SYMLINK) {
		n = peer_put_name(p, 0, peer_name(p));
		return peer_put_name(p, n,
				     peer_next(p, 2) ? "../../secret" : peer_name(p));
	}
	if (opcode == FUSE_MKNOD)
		n = peer_put(p, 0, &node, sizeof(node));
	else if (opcode == FUSE_MKDIR)
		n = peer_put(p, 0, &directory, sizeof(directory));
	else
		n = peer_put(p, 0, &file, sizeof(file));
	return peer_put_name(p, n, peer_name(p));
}

static size_t put_move(struct peer *p, uint32_t opcode) {
	const struct fuse_rename2_in rename = { .newdir = peer_node(p),
						.flags = peer_next(p, 9) };
	const struct fuse_link_in link = { .oldnodeid = peer_node(p) };
	size_t n;

	if (opcode == FUSE_LINK) {
		n = peer_put(p, 0, &link, sizeof(link));
	} else {
		n = peer_put(p, 0, &rename, sizeof(rename));
		n = peer_put_name(p, n, peer_name(p));
	}
	return peer_put_name(p, n, peer_name(p));
}

static size_t put_write(struct peer *p) {
	const struct fuse_write_in in = { .offset = position(p),
					  .size = sizeof(WRITTEN),
					  .write_flags = peer_next(p, 8) };
	size_t n = peer_put(p, 0, &in, sizeof(in));

	return peer_put_name(p, n, WRITTEN);
}

static size_t put_setattr(struct peer *p) {
	const struct fuse_setattr_in in = { .valid = peer_next(p, 256) | peer_next(p, 256)
										 << 8,
					    .size = position(p),
					    .mode = peer_next(p, 256) << 4,
					    .uid = peer_next(p, 3),
					    .gid = peer_next(p, 3),
					    .mtimensec = peer_next(p, 2) * UINT32_MAX };

	return peer_put(p, 0, &in, sizeof(in));
}

static size_t put_range(struct peer *p, uint32_t opcode) {
	const struct fuse_fallocate_in space = { .offset = position(p),
						 .length = position(p),
						 .mode = peer_next(p, 64) };
	const struct fuse_copy_file_range_in copy = { .off_in = position(p),
						      .nodeid_out = peer_node(p),
						      .off_out = position(p),
						      .len = position(p),
						      .flags = peer_next(p, 8) == 0 };

	return opcode == FUSE_FALLOCATE ? peer_put(p, 0, &space, sizeof(space))
					: peer_put(p, 0, &copy, sizeof(copy));
}

static size_t put_attribute(struct peer *p, uint32_t opcode) {
	static const char *const names[] = { "user.some",
					     "user.overlay.opaque",
					     "user.overlay.overlay.x",
					     "user.overlay.redirect",
					     "security.capability",
					     "system.posix_acl_access",
					     "system.posix_acl_default",
					     "trusted.a",
					     "nonsense",
					     "" };
	const struct fuse_setxattr_in in = { .size = peer_next(p, 40),
					     .flags = peer_next(p, 4) };
	const char value[40] = "\2\0\0\0\1\0\6\0", *name;
	size_t n = 0;

	if (opcode == FUSE_SETXATTR)
		n = peer_put(p, 0, &in, FUSE_COMPAT_SETXATTR_IN_SIZE);
	name = names[peer_next(p, ARRAY_SIZE(names))];
	n = peer_put_name(p, n, name);
	return opcode == FUSE_SETXATTR ? peer_put(p, n, value, in.size) : n;
}

static size_t put_change(struct peer *p, uint32_t opcode) {
	const struct fuse_open_in open = { .flags = peer_next(p, 4) |
						    peer_next(p, 2) * O_TRUNC };

	switch (opcode) {
	case FUSE_OPEN:
		return peer_put(p, 0, &open, sizeof(open));
	case FUSE_MKNOD:
	case FUSE_MKDIR:
	case FUSE_SYMLINK:
	case FUSE_CREATE:
	case PEER_TMPFILE:
		return put_make(p, opcode);
	case FUSE_RENAME2:
	case FUSE_LINK:
		return put_move(p, opcode);
	case FUSE_WRITE:
		return put_write(p);
	case FUSE_SETATTR:
		return put_setattr(p);
	case FUSE_FALLOCATE:
	case FUSE_COPY_FILE_RANGE:
		return put_range(p, opcode);
	case FUSE_SETXATTR:
	case FUSE_REMOVEXATTR:
		return put_attribute(p, opcode);
	default: /* FUSE_UNLINK, FUSE_RMDIR */
		return peer_put_name(p, 0, peer_name(p));
	}
}

static void request(struct peer *p) {
	static const uint32_t opcodes[] = {
		FUSE_OPEN,	  FUSE_MKNOD,	FUSE_MKDIR,   FUSE_SYMLINK,
		FUSE_CREATE,	  PEER_TMPFILE, FUSE_RENAME2, FUSE_RENAME2,
		FUSE_LINK,	  FUSE_WRITE,	FUSE_SETATTR, FUSE_FALLOCATE,
		FUSE_SETXATTR,	  FUSE_UNLINK,	FUSE_RMDIR,   FUSE_COPY_FILE_RANGE,
		FUSE_REMOVEXATTR,
	};
	unsigned what = peer_next(p, 8);
	uint32_t opcode;

	if (what == 0) {
		use_directory(p);
	} else if (what < 3) {
		peer_read(p, false);
	} else {
		opcode = opcodes[peer_next(p, ARRAY_SIZE(opcodes))];
		peer_ask(p, opcode, peer_node(p), put_change(p, opcode));
	}
}

/* --- what it has left --- */

static bool has_text(int directory, const char *path, const char *text) {
	char got[100000];
	_cleanup_close_ int fd = openat(directory, path,
					O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, got, sizeof(got));

	return n > 0 && memmem(got, (size_t)n, text, strlen(text));
}

static int check_layer(const char *path, const struct stat *st, int type,
		       struct FTW *ftw) {
	assert(type != FTW_F || !S_ISREG(st->st_mode) ||
	       !has_text(AT_FDCWD, path, WRITTEN));
	return 0;
}

static void ended(int tree) {
	char path[64];

	assert(has_text(tree, "secret", PEER_SECRET));
	for (unsigned i = 0; i < PEER_LAYERS; i++) {
		snprintf(path, sizeof(path), "/proc/self/fd/%d/%u", tree, i);
		nftw(path, check_layer, 16, FTW_PHYS | FTW_MOUNT);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
	static const struct peer_target target = { PEER_LAYERS + 1, serve, request,
						   close_directories, ended };

	peer_run(&target, data, len);
	return 0;
}

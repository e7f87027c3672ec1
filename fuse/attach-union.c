/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Clones the layers, mounts a connection detached, and starts its server. */
#include "attach-union.h"

#include <string.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "../merge/kernel.h"
#include "../merge/strv.h"
#include "connection.h"
#include "layers.h"
#include "outer.h"
#include "server.h"
#include "union-request.h"

/* What the server is given, and what is made on the way. */
struct attachment {
	int program, mount;
	int fds[SERVER_FDS + LAYERS_MAX + UNION_REQUEST_UPPER_FDS];
	unsigned n_layers;
	bool enclosed;
	pid_t server;
	const char *what; /* is being done, for the error */
};

static void attachment_done(struct attachment *a) {
	close_fdp(&a->program);
	close_fdp(&a->mount);
	for (size_t i = 0; i < ARRAY_SIZE(a->fds); i++)
		close_fdp(&a->fds[i]);
}

/*
 * union.2: without the mounts inside of it, without its place, and so that nothing in it can be changed, run, opened
 * as a device or followed. Kernels before 6.15 do not clone what is detached already, and users' namespaces not
 * what is locked: then it is used as it is.
 */
static int clone_layer(int layer) {
	struct mount_attr strict = { .attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV |
						 MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC |
						 MOUNT_ATTR_NOATIME |
						 MOUNT_ATTR_NOSYMFOLLOW,
				     .attr_clr = MOUNT_ATTR__ATIME };
	_cleanup_close_ int fd =
		open_tree(layer, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);

	if (fd < 0)
		fd = fcntl(layer, F_DUPFD_CLOEXEC, 3);
	else if (mount_setattr(fd, "", AT_EMPTY_PATH, &strict, sizeof(strict)) < 0 &&
		 errno != EPERM && errno != EINVAL)
		return -errno;
	return fd < 0 ? -errno : TAKE_FD(fd);
}

static int clone_layers(struct attachment *a, const int *layers, unsigned n) {
	if (n < 1 || n > LAYERS_MAX)
		return -EINVAL;
	for (; a->n_layers < n; a->n_layers++) {
		int fd = clone_layer(layers[a->n_layers]);

		if (fd < 0)
			return fd;
		a->fds[SERVER_FDS + a->n_layers] = fd;
	}
	return 0;
}

static int open_upper(struct attachment *a, const struct attach_union_options *o,
		      const int *layers, unsigned n) {
	struct attach_upper opened;
	int r;

	if (!o->upper)
		return 0;
	if (o->io == UNION_IO_PASSTHROUGH)
		return -EINVAL;
	r = attach_upper_open(o->upper, layers, n, &opened, &a->fds[SERVER_FDS + n + 2],
			      &a->what);
	if (r < 0)
		return r;
	a->fds[SERVER_FDS + n] = opened.upper;
	a->fds[SERVER_FDS + n + 1] = opened.work;
	return 0;
}

/* vfile.12: the '@'. */
static int start_server(struct attachment *a, const struct attach_union_options *o,
			char ret_why[static SERVER_WHY_MAX]) {
	const struct union_request q = {
		.n_layers = a->n_layers,
		.threads = o->threads
				   ?: o->upper ? ATTACH_OVERLAY_THREADS
					       : ATTACH_UNION_THREADS,
		.space = o->space,
		.io = o->io,
		.writes = o->upper != NULL,
		.enclosed = a->enclosed,
		.name = o->name ?: "",
	};
	_cleanup_strv_ char **argv = NULL;
	int r = strv_append(&argv, "@extmerge-fuse");

	a->server = -1;
	if (r == 0)
		r = strv_append(&argv, "union");
	if (r == 0)
		r = union_request_format(&q, &argv);
	if (r == 0)
		r = server_start(a->program, argv, a->fds,
				 a->n_layers + (o->upper ? UNION_REQUEST_UPPER_FDS : 0),
				 ATTACH_SECONDS, &a->server, ret_why);
	if (o->ret_server)
		*o->ret_server = a->server;
	return r;
}

static int mount_union(struct attachment *a, const struct attach_union_options *o) {
	const struct connection_mount m = {
		.source = o->source ?: "extmerge-fuse:union",
		.rootmode = S_IFDIR,
		.attributes = o->attributes | (o->upper ? 0 : MOUNT_ATTR_RDONLY),
		.writes = o->upper != NULL,
		.for_all = true,
	};

	if (o->connection) {
		a->fds[0] = fcntl(*o->connection, F_DUPFD_CLOEXEC, 3);
		return a->fds[0] < 0 ? -errno : 0;
	}
	a->what = "/dev/fuse cannot be opened";
	a->fds[0] = connection_open();
	if (a->fds[0] < 0)
		return a->fds[0];
	a->what = "the union cannot be mounted";
	a->mount = connection_mount(a->fds[0], &m);
	return a->mount < 0 ? a->mount : 0;
}

/*
 * union.23 takes a clone of a mount that is attached nowhere. Whether that can be had is not tried with a mount, as each
 * that is closed makes us wait for all CPUs, but with the call that came with it. No name is empty: ENOENT.
 */
static bool may_enclose(void) {
	return syscall(SYS_open_tree_attr, -1, "", 0, NULL, (size_t)0) < 0 &&
	       errno == ENOENT;
}

/* Mounts, and starts the server. */
static int begin(struct attachment *a, const struct attach_union_options *o,
		 char ret_why[static SERVER_WHY_MAX]) {
	int r = mount_union(a, o);

	if (r < 0)
		return r;
	a->what = NULL;
	r = start_server(a, o, ret_why);
	/* From now on the server's is the only one, so that the kernel sees when it dies. */
	close_fdp(&a->fds[0]);
	a->fds[0] = -EBADF;
	return r;
}

/* From then on nothing leads to the outer root. */
static int leave_outer(struct attachment *a) {
	int fd = open_tree(a->mount, OUTER_NAME,
			   OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_SYMLINK_NOFOLLOW);
	int r = fd < 0 ? -errno : 0;

	close_fdp(&a->mount);
	a->mount = fd < 0 ? -EBADF : fd;
	return r;
}

static int begin_enclosed(struct attachment *a, const struct attach_union_options *o,
			  char ret_why[static SERVER_WHY_MAX]) {
	int r;

	a->enclosed = !o->connection && may_enclose();
	r = begin(a, o, ret_why);
	if (r < 0 || !a->enclosed)
		return r;
	a->what = "the union cannot be entered";
	r = leave_outer(a);
	if (r != -EINVAL && r != -EPERM)
		return r;
	/* It was not to be had, so there is another one, when the work directory is nobody's. */
	a->enclosed = false;
	server_wait_end(a->server, ATTACH_SECONDS);
	return begin(a, o, ret_why);
}

/* As the kernel knows it, without asking the server, which has said that it is at work. */
static int device_of(int mount, dev_t *ret) {
	struct statx x;

	if (statx(mount, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, 0, &x) < 0)
		return -errno;
	*ret = makedev(x.stx_dev_major, x.stx_dev_minor);
	return 0;
}

static int attach(struct attachment *a, const int *layers, unsigned n,
		  const struct attach_union_options *o,
		  char ret_why[static SERVER_WHY_MAX]) {
	dev_t device = 0;
	int r;

	a->what = "the program extmerge-fuse cannot be opened";
	a->program = server_open(o->server);
	if (a->program < 0)
		return a->program;
	a->what = "the layers cannot be used";
	r = clone_layers(a, layers, n);
	if (r == 0)
		r = open_upper(a, o, layers, n);
	if (r == 0)
		r = begin_enclosed(a, o, ret_why);
	if (r < 0 || o->connection)
		return r;
	if (device_of(a->mount, &device) == 0)
		connection_read_ahead(device);
	return TAKE_FD(a->mount);
}

int attach_union(const int *layers, unsigned n, const struct attach_union_options *o,
		 char ret_why[static ATTACH_WHY_MAX]) {
	_cleanup_(attachment_done) struct attachment a = { .program = -EBADF,
							   .mount = -EBADF,
							   .server = -1 };
	int r;

	for (size_t i = 0; i < ARRAY_SIZE(a.fds); i++)
		a.fds[i] = -EBADF;
	ret_why[0] = '\0';
	r = attach(&a, layers, n, o, ret_why);
	if (r < 0 && a.what)
		snprintf(ret_why, ATTACH_WHY_MAX, "%s: %s", a.what, strerror(-r));
	return r;
}

int attach_union_io(int mount, enum union_io *ret) {
	char path[32], word[16];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", mount);
	n = getxattr(path, UNION_IO_XATTR, word, sizeof(word));
	if (n < 0)
		return errno == EOPNOTSUPP || errno == ERANGE ? -ENODATA : -errno;
	if (union_io_parse(word, (size_t)n, ret) < 0 || *ret == UNION_IO_AUTO)
		return -ENODATA;
	return 0;
}

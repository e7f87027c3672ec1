/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* To rename from one to the other both must be on one mount: a clone of the directory above them. */
#include "attach-upper.h"

#include <string.h>

#include "../merge/file.h"
#include "../merge/kernel.h"
#include "layers.h"

#define DEPTH_MAX 4096
#define PATH_SHOWN 4096

/* Which directory it is, and on which mount. */
struct identity {
	uint64_t inode, mount;
	uint32_t major, minor;
};

static int identify(int fd, struct identity *ret) {
	struct statx st;

	if (statx(fd, "", AT_EMPTY_PATH, STATX_TYPE | STATX_INO | STATX_MNT_ID, &st) < 0)
		return -errno;
	if (!S_ISDIR(st.stx_mode))
		return -ENOTDIR;
	*ret = (struct identity){ .inode = st.stx_ino,
				  .major = st.stx_dev_major,
				  .minor = st.stx_dev_minor };
	if (st.stx_mask & STATX_MNT_ID) /* Linux 5.8 */
		ret->mount = st.stx_mnt_id;
	return 0;
}

static bool is_same_directory(const struct identity *a, const struct identity *b) {
	return a->inode == b->inode && a->major == b->major && a->minor == b->minor;
}

/* Goes one up: 1, 0 at the top. */
static int climb(int *fd, struct identity *at) {
	int above = openat(*fd, "..", O_PATH | O_DIRECTORY | O_CLOEXEC), r;
	struct identity was = *at;

	if (above < 0)
		return -errno;
	close_fdp(fd);
	*fd = above;
	r = identify(above, at);
	return r < 0 ? r : !is_same_directory(&was, at) || was.mount != at->mount;
}

/*
 * Looks for a directory at or above another one. How many steps above it is, with the fd of it in *ret, which may be NULL;
 * -ENOENT where it is nowhere; another negative errno.
 */
static int find_above(int directory, const struct identity *wanted, int *ret) {
	_cleanup_close_ int fd = fcntl(directory, F_DUPFD_CLOEXEC, 3);
	struct identity at;
	int r = fd < 0 ? -errno : identify(fd, &at);

	for (int steps = 0; r >= 0 && steps < DEPTH_MAX; steps++) {
		if (is_same_directory(&at, wanted)) {
			if (ret)
				*ret = TAKE_FD(fd);
			return steps;
		}
		r = climb(&fd, &at);
		if (r == 0)
			return -ENOENT;
	}
	return r < 0 ? r : -ELOOP;
}

/* 0 if a directory is not at or below another one. */
static int check_outside(int directory, const struct identity *of) {
	int r = find_above(directory, of, NULL);

	return r >= 0 ? -ELOOP : r == -ENOENT ? 0 : r;
}

static int check(const struct attach_upper *given, const int *layers, unsigned n,
		 const char **ret_why) {
	struct identity ids[2];
	int r = identify(given->upper, &ids[0]);

	*ret_why = "upperdir or workdir cannot be used";
	if (r == 0)
		r = identify(given->work, &ids[1]);
	if (r < 0)
		return r;
	*ret_why = "upperdir and workdir are not on one mount";
	if (ids[0].major != ids[1].major || ids[0].minor != ids[1].minor ||
	    ids[0].mount != ids[1].mount)
		return -EXDEV;
	*ret_why = "upperdir and workdir must not contain each other";
	if (check_outside(given->upper, &ids[1]) == -ELOOP ||
	    check_outside(given->work, &ids[0]) == -ELOOP)
		return -EINVAL;
	*ret_why = "a layer is in upperdir or workdir";
	for (unsigned i = 0; r == 0 && i < n; i++) {
		r = check_outside(layers[i], &ids[0]);
		if (r == 0)
			r = check_outside(layers[i], &ids[1]);
	}
	return r;
}

/* --- the clone --- */

/* The nearest directory that both are in. */
static int find_common(const struct attach_upper *given, int *ret) {
	_cleanup_close_ int fd = fcntl(given->upper, F_DUPFD_CLOEXEC, 3);
	struct identity at;
	int r = fd < 0 ? -errno : identify(fd, &at);

	for (int steps = 0; r >= 0 && steps < DEPTH_MAX; steps++) {
		r = climb(&fd, &at);
		if (r <= 0)
			return r < 0 ? r : -ENOENT;
		if (find_above(given->work, &at, NULL) >= 0) {
			*ret = TAKE_FD(fd);
			return 0;
		}
	}
	return r < 0 ? r : -ELOOP;
}

/* The last `n` parts of a path, or NULL. */
static const char *last_parts(const char *path, int n) {
	const char *p = path + strlen(path);

	while (n > 0 && p > path)
		n -= *--p == '/';
	return n > 0 ? NULL : p + 1;
}

/* The same directory as `directory`, which is `steps` below the one that was cloned, by its names. */
static int open_in_clone(int clone, int directory, int steps, int *ret) {
	char link[FILE_FD_PATH_MAX], path[PATH_SHOWN];
	struct identity wanted, got;
	_cleanup_close_ int fd = -EBADF;
	const char *below;
	ssize_t n;

	file_fd_path(directory, link);
	n = readlink(link, path, sizeof(path));
	if (n < 0 || n == sizeof(path))
		return n < 0 ? -errno : -ENAMETOOLONG;
	path[n] = '\0';
	below = last_parts(path, steps);
	if (!below)
		return -ENOENT;
	fd = layers_open(clone, below, O_PATH | O_DIRECTORY);
	if (fd < 0)
		return fd;
	if (identify(directory, &wanted) < 0 || identify(fd, &got) < 0 ||
	    !is_same_directory(&wanted, &got))
		return -ESTALE; /* it was moved meanwhile */
	*ret = TAKE_FD(fd);
	return 0;
}

static int clone_common(int common) {
	struct mount_attr strict = { .attr_set = MOUNT_ATTR_NODEV | MOUNT_ATTR_NOSUID |
						 MOUNT_ATTR_NOEXEC | MOUNT_ATTR_NOATIME |
						 MOUNT_ATTR_NOSYMFOLLOW,
				     .attr_clr = MOUNT_ATTR__ATIME };
	_cleanup_close_ int fd =
		open_tree(common, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);

	if (fd < 0 || mount_setattr(fd, "", AT_EMPTY_PATH, &strict, sizeof(strict)) < 0)
		return -errno;
	return TAKE_FD(fd);
}

/*
 * As long as somebody has the clone itself, its mount is in a namespace. Otherwise each path that is let go of would be taken for the
 * last one, under a lock of the whole system that makes openat2(2) with ".." fail with EAGAIN, anywhere (mount_lock in
 * fs/namespace.c, Linux 6.18).
 */
static int open_both(const struct attach_upper *given, struct attach_upper *ret,
		     int *ret_clone) {
	_cleanup_close_ int common = -EBADF, clone = -EBADF, upper = -EBADF,
			    work = -EBADF;
	int r = find_common(given, &common), steps;
	struct identity of;

	if (r < 0)
		return r;
	clone = clone_common(common);
	if (clone < 0)
		return clone;
	r = identify(common, &of);
	if (r < 0)
		return r;
	steps = find_above(given->upper, &of, NULL);
	r = steps < 0 ? steps : open_in_clone(clone, given->upper, steps, &upper);
	if (r < 0)
		return r;
	steps = find_above(given->work, &of, NULL);
	r = steps < 0 ? steps : open_in_clone(clone, given->work, steps, &work);
	if (r < 0)
		return r;
	*ret = (struct attach_upper){ TAKE_FD(upper), TAKE_FD(work) };
	*ret_clone = TAKE_FD(clone);
	return 0;
}

/* Kernels before 6.15 do not clone what is detached already, and users' namespaces not what is locked. */
static int open_as_they_are(const struct attach_upper *given, struct attach_upper *ret) {
	_cleanup_close_ int upper = fcntl(given->upper, F_DUPFD_CLOEXEC, 3),
			    work = fcntl(given->work, F_DUPFD_CLOEXEC, 3);

	if (upper < 0 || work < 0)
		return -errno;
	*ret = (struct attach_upper){ TAKE_FD(upper), TAKE_FD(work) };
	return 0;
}

int attach_upper_open(const struct attach_upper *given, const int *layers, unsigned n,
		      struct attach_upper *ret, int *ret_clone, const char **ret_why) {
	int r = check(given, layers, n, ret_why);

	if (r < 0)
		return r;
	*ret_why = "upperdir and workdir cannot be opened";
	*ret_clone = -EBADF;
	r = open_both(given, ret, ret_clone);
	return r == -EINVAL || r == -EPERM ? open_as_they_are(given, ret) : r;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Data first, as writing takes rights away; then owner, attributes, mode and times. */
#include "copyup.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/xattr.h>

#define PIECE ((size_t)64 * 1024)

struct copy {
	struct upper *upper;
	struct union_tree *layers;
	uint64_t node;
	const struct stat *st;
	const char *made;
};

/* --- data --- */

static int write_all(int fd, const char *buffer, size_t n, off_t at) {
	while (n > 0) {
		ssize_t written = pwrite(fd, buffer, n, at);

		if (written < 0)
			return -errno;
		buffer += written;
		n -= (size_t)written;
		at += written;
	}
	return 0;
}

static int copy_by_hand(int from, int to, off_t at, off_t end) {
	_cleanup_free_ char *buffer = malloc(PIECE);
	int r = buffer ? 0 : -ENOMEM;

	while (r == 0 && at < end) {
		size_t wanted = end - at < (off_t)PIECE ? (size_t)(end - at) : PIECE;
		ssize_t n = pread(from, buffer, wanted, at);

		if (n <= 0)
			return n < 0 ? -errno : 0;
		r = write_all(to, buffer, (size_t)n, at);
		at += n;
	}
	return r;
}

/* Between file systems that cannot do it in the kernel it is done by hand. */
static int copy_range(int from, int to, off_t at, off_t end) {
	off_t in = at, out = at;

	while (in < end) {
		ssize_t n = copy_file_range(from, &in, to, &out, (size_t)(end - in), 0);

		if (n == 0)
			return 0;
		if (n > 0)
			continue;
		if (errno != EXDEV && errno != EINVAL && errno != EOPNOTSUPP &&
		    errno != ENOSYS)
			return -errno;
		return copy_by_hand(from, to, in, end);
	}
	return 0;
}

/* Holes stay holes. */
static int copy_sparse(int from, int to, off_t size) {
	off_t at = 0;
	int r = 0;

	while (r == 0 && at < size) {
		off_t begin = lseek(from, at, SEEK_DATA), end;

		if (begin < 0 && errno == ENXIO)
			break;
		if (begin < 0)
			return copy_range(from, to, 0, size);
		end = lseek(from, begin, SEEK_HOLE);
		if (end < 0)
			return -errno;
		if (end > size)
			end = size;
		r = begin < end ? copy_range(from, to, begin, end) : 0;
		at = end;
	}
	return r;
}

static int copy_data(const struct copy *c, int to) {
	struct union_file from;
	int r = union_open(c->layers, c->node, &from);

	if (r < 0)
		return r;
	if (ioctl(to, FICLONE, from.fd) < 0) {
		r = copy_sparse(from.fd, to, c->st->st_size);
		if (r == 0 && ftruncate(to, c->st->st_size) < 0)
			r = -errno;
	}
	union_close(c->layers, &from);
	/* As overlayfs does: the name must not be in place before the data. */
	if (r == 0 && c->st->st_size > 0 && fsync(to) < 0)
		r = -errno;
	return r;
}

/* --- what it is --- */

static int make_file(const struct copy *c, bool data) {
	_cleanup_close_ int fd =
		openat(c->upper->work, c->made,
		       O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0)
		return -errno;
	return data ? copy_data(c, fd) : 0;
}

static int make_link(const struct copy *c) {
	char target[PATH_MAX];
	int r = union_readlink(c->layers, c->node, target, sizeof(target));

	if (r == 0 && symlinkat(target, c->upper->work, c->made) < 0)
		r = -errno;
	return r;
}

static int make(const struct copy *c, bool data) {
	mode_t type = c->st->st_mode & S_IFMT;
	int r;

	if (type == S_IFREG)
		return make_file(c, data);
	if (type == S_IFLNK)
		return make_link(c);
	if (type == S_IFDIR)
		r = mkdirat(c->upper->work, c->made, 0700);
	else
		r = mknodat(c->upper->work, c->made, type | 0600, c->st->st_rdev);
	return r < 0 ? -errno : 0;
}

/* --- attributes --- */

/* overlay.5: without these the copy would let in whom the original does not. */
static bool must_be_kept(const char *name) {
	return strncmp(name, "security.", strlen("security.")) == 0 ||
	       strncmp(name, "system.posix_acl_", strlen("system.posix_acl_")) == 0;
}

static int copy_xattr(const struct copy *c, const char *name, char *value) {
	char buffer[WHITEOUT_NAME_MAX];
	const char *inside = whiteout_to_layer(c->upper->space, name, buffer);
	ssize_t n = union_getxattr(c->layers, c->node, name, value, XATTR_SIZE_MAX);
	int r;

	if (n == -ENODATA)
		return 0;
	if (n < 0 || !inside)
		return n < 0 ? (int)n : -ERANGE;
	r = upper_set_xattr(c->upper->work, c->made, inside, value, (size_t)n, 0);
	return r == -EOPNOTSUPP && !must_be_kept(name) ? 0 : r;
}

static int copy_xattrs(const struct copy *c) {
	_cleanup_free_ char *list = malloc(XATTR_LIST_MAX + XATTR_SIZE_MAX);
	ssize_t n;
	int r = 0;

	if (!list)
		return -ENOMEM;
	n = union_listxattr(c->layers, c->node, list, XATTR_LIST_MAX);
	if (n == -EOPNOTSUPP)
		return 0;
	for (const char *p = list; r == 0 && p < list + n; p += strlen(p) + 1)
		r = copy_xattr(c, p, list + XATTR_LIST_MAX);
	return n < 0 ? (int)n : r;
}

static int copy_attributes(const struct copy *c) {
	const struct timespec times[] = { c->st->st_atim, c->st->st_mtim };
	int work = c->upper->work, r;

	if (fchownat(work, c->made, c->st->st_uid, c->st->st_gid, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	r = copy_xattrs(c);
	if (r < 0)
		return r;
	if (!S_ISLNK(c->st->st_mode) &&
	    fchmodat(work, c->made, c->st->st_mode & 07777, 0) < 0)
		return -errno;
	return utimensat(work, c->made, times, AT_SYMLINK_NOFOLLOW) < 0 ? -errno : 0;
}

int copyup_make(struct upper *u, struct union_tree *layers, uint64_t node,
		const struct stat *st, bool data, const char *made) {
	const struct copy c = { u, layers, node, st, made };
	int r = make(&c, data);

	if (r == 0)
		r = copy_attributes(&c);
	if (r < 0)
		upper_discard(u, made);
	return r;
}

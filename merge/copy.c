/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Entries of one tree made anew in another. */
#include "copy.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "file.h"
#include "meta.h"
#include "text.h"
#include "tree.h"
#include "written.h"

#define OPAQUE "trusted.overlay.opaque"
#define CHUNK ((size_t)1 << 20)
#define SIZE_MAX_XATTR 65536

/* One entry on both sides. */
struct copy {
	int from;   /* O_PATH, itself */
	int parent; /* O_PATH, where it will be */
	const char *name;
	struct stat st;
};

static void copy_done(struct copy *c) {
	close_fdp(&c->from);
	close_fdp(&c->parent);
}

static int open_parent(int to, const char *path) {
	const char *slash = strrchr(path, '/');
	_cleanup_free_ char *above = slash ? strndup(path, (size_t)(slash - path))
					   : strdup(".");

	return above ? file_open_exact(to, above, O_PATH | O_DIRECTORY) : -ENOMEM;
}

static int copy_open(int from, int to, const char *path, struct copy *ret) {
	const char *slash = strrchr(path, '/');

	*ret = (struct copy){ .from = file_open_exact(from, path, O_PATH | O_NOFOLLOW),
			      .parent = open_parent(to, path),
			      .name = slash ? slash + 1 : path };
	if (ret->from < 0 || ret->parent < 0)
		return ret->from < 0 ? ret->from : ret->parent;
	return fstat(ret->from, &ret->st) < 0 ? -errno : 0;
}

static int write_all(int fd, const char *data, size_t n, off_t at) {
	while (n > 0) {
		ssize_t done = pwrite(fd, data, n, at);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return done < 0 ? -errno : -EIO;
		data += done;
		at += done;
		n -= (size_t)done;
	}
	return 0;
}

static int copy_range(int from, int to, char *chunk, off_t at, off_t end) {
	while (at < end) {
		size_t most = end - at < (off_t)CHUNK ? (size_t)(end - at) : CHUNK;
		ssize_t n = file_read_at(from, chunk, most, (uint64_t)at);
		int r = n > 0 ? write_all(to, chunk, (size_t)n, at) : (int)n;

		if (n <= 0 || r < 0)
			return r;
		at += n;
	}
	return 0;
}

/* Where data begin, and where they end; what cannot tell has data everywhere. False behind the last ones. */
static bool find_data(int fd, off_t size, off_t *at, off_t *ret_end) {
	off_t data = lseek(fd, *at, SEEK_DATA), end;

	if (data < 0 && errno == ENXIO)
		return false;
	end = data < 0 ? -1 : lseek(fd, data, SEEK_HOLE);
	*at = data < 0 ? *at : data;
	*ret_end = end < 0 || end > size ? size : end;
	return *at < size;
}

/* A clone where the file system can make one. Holes stay holes: they cost who wrote them nothing. */
static int copy_bytes(int from, int to, off_t size) {
	_cleanup_free_ char *chunk = NULL;
	off_t at = 0, end;
	int r = 0;

	if (ioctl(to, FICLONE, from) == 0)
		return 0;
	chunk = malloc(CHUNK);
	if (!chunk)
		return -ENOMEM;
	for (; r == 0 && find_data(from, size, &at, &end); at = end)
		r = copy_range(from, to, chunk, at, end);
	return r == 0 && ftruncate(to, size) < 0 ? -errno : r;
}

static int copy_xattrs(int from, int to) {
	_cleanup_free_ char *names = malloc(SIZE_MAX_XATTR),
			    *value = malloc(SIZE_MAX_XATTR);
	char path[FILE_FD_PATH_MAX];
	ssize_t len;

	file_fd_path(from, path);
	len = names && value ? listxattr(path, names, SIZE_MAX_XATTR) : -1;
	if (!names || !value)
		return -ENOMEM;
	if (len < 0)
		return errno == EOPNOTSUPP ? 0 : -errno;
	for (const char *name = names; name < names + len; name += strlen(name) + 1) {
		ssize_t n;

		if (written_is_mark(name))
			continue;
		n = getxattr(path, name, value, SIZE_MAX_XATTR);
		if (n < 0 || fsetxattr(to, name, value, (size_t)n, 0) < 0)
			return -errno;
	}
	return 0;
}

/* Attributes after the owner, as chown(2) takes capabilities away; the mode too. */
static int copy_file(const struct copy *c) {
	_cleanup_close_ int from = file_reopen(c->from, O_RDONLY), to = -EBADF;
	int r;

	if (from < 0)
		return from;
	to = openat(c->parent, c->name,
		    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (to < 0)
		return -errno;
	r = copy_bytes(from, to, c->st.st_size);
	if (r == 0 && fchown(to, c->st.st_uid, c->st.st_gid) < 0)
		r = -errno;
	if (r == 0)
		r = copy_xattrs(c->from, to);
	if (r == 0 &&
	    (fchmod(to, c->st.st_mode & 07777) < 0 ||
	     futimens(to, (struct timespec[]){ c->st.st_atim, c->st.st_mtim }) < 0))
		r = -errno;
	return r;
}

/* By what was opened, as a name may be a link by the time that its mode is set. */
static int set_looks(const struct copy *c) {
	const struct timespec times[] = { c->st.st_atim, c->st.st_mtim };
	_cleanup_close_ int fd = file_open_exact(c->parent, c->name, O_PATH | O_NOFOLLOW);
	char path[FILE_FD_PATH_MAX];
	struct stat st;

	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0)
		return -errno;
	if ((st.st_mode & S_IFMT) != (c->st.st_mode & S_IFMT))
		return -ESTALE;
	if (fchownat(fd, "", c->st.st_uid, c->st.st_gid, AT_EMPTY_PATH) < 0)
		return -errno;
	file_fd_path(fd, path);
	if (!S_ISLNK(st.st_mode) && chmod(path, c->st.st_mode & 07777) < 0)
		return -errno;
	return utimensat(fd, "", times, AT_EMPTY_PATH) < 0 ? -errno : 0;
}

static int copy_link(const struct copy *c) {
	char target[4096];
	ssize_t n = readlinkat(c->from, "", target, sizeof(target) - 1);

	if (n < 0)
		return -errno;
	target[n] = '\0';
	return symlinkat(target, c->parent, c->name) < 0 ? -errno : set_looks(c);
}

static int copy_special(const struct copy *c) {
	return mknodat(c->parent, c->name, c->st.st_mode, c->st.st_rdev) < 0
		       ? -errno
		       : set_looks(c);
}

static int copy_directory(const struct copy *c, bool marks) {
	_cleanup_close_ int to = -EBADF;
	char path[FILE_FD_PATH_MAX], value[8];
	ssize_t n;
	int r;

	if (mkdirat(c->parent, c->name, 0700) < 0 && errno != EEXIST)
		return -errno;
	to = file_open_exact(c->parent, c->name, O_RDONLY | O_DIRECTORY);
	r = to < 0 ? to : meta_copy_looks(c->from, to);
	if (r < 0 || !marks)
		return r;
	file_fd_path(c->from, path);
	n = getxattr(path, OPAQUE, value, sizeof(value));
	return n > 0 && fsetxattr(to, OPAQUE, value, (size_t)n, 0) < 0 ? -errno : 0;
}

int copy_entry(int from, int to, const char *path, bool marks) {
	_cleanup_(copy_done) struct copy c;
	int r = copy_open(from, to, path, &c);

	if (r < 0)
		return r;
	switch (c.st.st_mode & S_IFMT) {
	case S_IFREG:
		return copy_file(&c);
	case S_IFLNK:
		return copy_link(&c);
	case S_IFDIR:
		return copy_directory(&c, marks);
	default:
		return marks ? copy_special(&c) : -EINVAL;
	}
}

int copy_parents(int from, int to, const char *path) {
	_cleanup_free_ char *at = strdup(path);
	struct stat st;
	int r = at ? 0 : -ENOMEM;

	for (char *slash = at ? strchr(at, '/') : NULL; r == 0 && slash;
	     slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (fstatat(to, at, &st, AT_SYMLINK_NOFOLLOW) < 0)
			r = errno == ENOENT ? copy_entry(from, to, at, false) : -errno;
		*slash = '/';
	}
	return r;
}

struct walk {
	int from, to;
	const char *prefix;
};

static int enter(const struct tree_entry *e, void *data) {
	const struct walk *w = data;
	_cleanup_free_ char *path = text_format("%s%s%s", w->prefix, *e->path ? "/" : "",
						e->path);

	return path ? copy_entry(w->from, w->to, path, true) : -ENOMEM;
}

int copy_tree(int from, int to, const char *path) {
	struct walk w = { from, to, path };
	const struct tree_visitor visitor = { .enter = enter, .data = &w };
	_cleanup_close_ int fd = file_open_exact(from, path, O_PATH | O_NOFOLLOW);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return fd < 0 ? fd : -errno;
	if (!S_ISDIR(st.st_mode))
		return copy_entry(from, to, path, true);
	return tree_walk(fd, &tree_limits_default, &visitor);
}

static int no_file(const struct tree_entry *e, void *data) {
	return 0;
}

static void set_times(const struct tree_entry *e, void *data) {
	const struct walk *w = data;
	struct stat st;

	if (fstatat(w->from, *e->path ? e->path : ".", &st, AT_SYMLINK_NOFOLLOW) == 0)
		(void)futimens(e->fd, (struct timespec[]){ st.st_atim, st.st_mtim });
}

int copy_times(int from, int to) {
	struct walk w = { .from = from, .to = to };
	const struct tree_visitor visitor = { .enter = no_file,
					      .leave = set_times,
					      .data = &w };

	return tree_walk(to, &tree_limits_default, &visitor);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Files and directories below a root fd that is never left. */
#include "file.h"

#include <string.h>

#include "kernel.h"
#include "strv.h"

#define OPEN_TRIES 64

static int open_resolved(int dir, const char *path, int flags, uint64_t resolve) {
	struct open_how how = {
		.flags = (uint64_t)flags | O_CLOEXEC,
		.resolve = resolve | RESOLVE_NO_MAGICLINKS,
	};
	int fd = -1;

	/* O_PATH never waits and takes none of these (EINVAL). */
	if (!(flags & O_PATH))
		how.flags |= O_NOCTTY | O_NONBLOCK;
	/*
	 * EAGAIN: a rename elsewhere raced with the ".." of a path, and the kernel asks to retry; or the
	 * owner of the file holds a lease, which must not hold us.
	 */
	for (unsigned tries = 0; tries < OPEN_TRIES; tries++) {
		fd = sys_openat2(dir, *path ? path : ".", &how);
		if (fd >= 0 || (errno != EAGAIN && errno != EINTR))
			break;
	}
	return fd < 0 ? -errno : fd;
}

int file_open_in(int root, const char *path, int flags) {
	return open_resolved(root, path, flags, RESOLVE_IN_ROOT);
}

int file_open_exact(int dir, const char *path, int flags) {
	return open_resolved(dir, path, flags,
			     RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV);
}

int file_reopen(int fd, int flags) {
	char path[FILE_FD_PATH_MAX];
	int opened;

	flags |= O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
	if (flags & O_DIRECTORY) { /* needs no /proc */
		opened = openat(fd, ".", flags);
	} else {
		file_fd_path(fd, path);
		opened = open(path, flags);
	}
	return opened < 0 ? -errno : opened;
}

ssize_t file_read_at(int fd, void *buffer, size_t len, uint64_t offset) {
	size_t done = 0;

	while (done < len) {
		ssize_t n = pread(fd, (char *)buffer + done, len - done,
				  (off_t)(offset + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		done += (size_t)n;
	}
	return (ssize_t)done;
}

int file_read(int fd, size_t max, char **ret, size_t *ret_len) {
	_cleanup_free_ char *text = malloc(max + 2);
	ssize_t n;

	if (!text)
		return -ENOMEM;
	n = file_read_at(fd, text, max + 1, 0);
	if (n < 0)
		return (int)n;
	if ((size_t)n > max)
		return -EFBIG;
	text[n] = '\0';
	*ret = TAKE_PTR(text);
	*ret_len = (size_t)n;
	return 0;
}

struct listing {
	char **names;
	size_t n, room;
};

static int listing_add(struct listing *l, const char *name) {
	if (l->n + 1 >= l->room) {
		size_t room = l->room ? l->room * 2 : 32;
		char **grown = reallocarray(l->names, room, sizeof(char *));

		if (!grown)
			return -ENOMEM;
		l->names = grown;
		l->room = room;
	}
	l->names[l->n] = name ? strdup(name) : NULL;
	if (!name)
		return 0;
	if (!l->names[l->n])
		return -ENOMEM;
	l->names[++l->n] = NULL;
	return 0;
}

/* Adds the entries that the kernel wrote into the buffer. */
static int listing_take(struct listing *l, const char *buffer, ssize_t n, size_t max) {
	int r = 0;

	for (ssize_t at = 0; r == 0 && at < n;) {
		const struct kernel_dirent *entry = (const void *)(buffer + at);

		at += entry->d_reclen;
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		r = l->n >= max ? -E2BIG : listing_add(l, entry->d_name);
	}
	return r;
}

/* Not readdir(3), which wants an fd to itself: a walk lists thousands of directories that it has open. */
static int listing_fill(struct listing *l, int fd, size_t max) {
	_Alignas(struct kernel_dirent) char buffer[16 * 1024];
	int r = listing_add(l, NULL);

	while (r == 0) {
		ssize_t n = sys_getdents64(fd, buffer, sizeof(buffer));

		if (n < 0 && errno == EINTR)
			continue;
		/* ENOENT: it has been removed meanwhile. */
		if (n == 0 || (n < 0 && errno == ENOENT))
			break;
		r = n < 0 ? -errno : listing_take(l, buffer, n, max);
	}
	return r;
}

int file_list_opened(int fd, size_t max, char ***ret) {
	struct listing l = { 0 };
	int r = listing_fill(&l, fd, max);

	if (r < 0) {
		strv_free(l.names);
		return r;
	}
	strv_sort(l.names);
	*ret = l.names;
	return 0;
}

int file_list(int fd, size_t max, char ***ret) {
	_cleanup_close_ int opened = file_reopen(fd, O_RDONLY | O_DIRECTORY);

	return opened < 0 ? opened : file_list_opened(opened, max, ret);
}

void file_fd_path(int fd, char ret[static FILE_FD_PATH_MAX]) {
	snprintf(ret, FILE_FD_PATH_MAX, "/proc/self/fd/%d", fd);
}

char *file_join(const char *dir, const char *name) {
	char *path;

	dir += strspn(dir, "/");
	if (asprintf(&path, "/%s%s%s", dir, *dir && *name ? "/" : "", name) < 0)
		return NULL;
	return path;
}

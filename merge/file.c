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

int file_open_below(int dir, const char *path, int flags) {
	return open_resolved(dir, path, flags, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
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

static int add_entry(struct file_entries *l, const struct kernel_dirent *entry) {
	char *name = strdup(entry->d_name);

	if (!name)
		return -ENOMEM;
	if (l->n == l->room) {
		size_t room = l->room ? l->room * 2 : 32;
		struct file_entry *grown = reallocarray(l->items, room, sizeof(*grown));

		if (!grown) {
			free(name);
			return -ENOMEM;
		}
		l->items = grown;
		l->room = room;
	}
	l->items[l->n++] = (struct file_entry){ .name = name, .type = entry->d_type };
	return 0;
}

/* Adds the entries that the kernel wrote into the buffer. */
static int add_entries(struct file_entries *l, const char *buffer, ssize_t n, size_t max) {
	int r = 0;

	for (ssize_t at = 0; r == 0 && at < n;) {
		const struct kernel_dirent *entry = (const void *)(buffer + at);

		at += entry->d_reclen;
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		r = l->n >= max ? -E2BIG : add_entry(l, entry);
	}
	return r;
}

/* Not readdir(3), which wants an fd to itself: a walk lists thousands of directories that it has open. */
static int read_entries(int fd, size_t max, struct file_entries *l) {
	_Alignas(struct kernel_dirent) char buffer[16 * 1024];
	int r = 0;

	while (r == 0) {
		ssize_t n = sys_getdents64(fd, buffer, sizeof(buffer));

		if (n < 0 && errno == EINTR)
			continue;
		/* ENOENT: it has been removed meanwhile. */
		if (n == 0 || (n < 0 && errno == ENOENT))
			break;
		r = n < 0 ? -errno : add_entries(l, buffer, n, max);
	}
	return r;
}

static int compare_entries(const void *a, const void *b) {
	return strcmp(((const struct file_entry *)a)->name,
		      ((const struct file_entry *)b)->name);
}

int file_list_opened(int fd, size_t max, struct file_entries *ret) {
	struct file_entries l = { 0 };
	int r = read_entries(fd, max, &l);

	if (r < 0) {
		file_entries_done(&l);
		return r;
	}
	if (l.n > 1)
		qsort(l.items, l.n, sizeof(*l.items), compare_entries);
	*ret = l;
	return 0;
}

void file_entries_done(struct file_entries *l) {
	for (size_t i = 0; i < l->n; i++)
		free(l->items[i].name);
	free(l->items);
	*l = (struct file_entries){ 0 };
}

int file_list(int fd, size_t max, char ***ret) {
	_cleanup_close_ int opened = file_reopen(fd, O_RDONLY | O_DIRECTORY);
	_cleanup_(file_entries_done) struct file_entries l = { 0 };
	int r = opened < 0 ? opened : file_list_opened(opened, max, &l);
	char **names = r < 0 ? NULL : calloc(l.n + 1, sizeof(*names));

	if (r < 0 || !names)
		return r < 0 ? r : -ENOMEM;
	for (size_t i = 0; i < l.n; i++)
		names[i] = TAKE_PTR(l.items[i].name);
	*ret = names;
	return 0;
}

bool file_is_shortage(int error) {
	static const int shortages[] = { -ENOMEM, -EMFILE, -ENFILE,
					 -ENOSPC, -EDQUOT, -EINTR };

	for (size_t i = 0; i < ARRAY_SIZE(shortages); i++)
		if (error == shortages[i])
			return true;
	return false;
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

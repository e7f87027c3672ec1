/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the server of a tree has open, in /proc. */
#include "underneath.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>

#include "file.h"
#include "process.h"

#define PATH_SEEN 4096

static void close_listing(DIR **d) {
	if (*d)
		closedir(*d);
}

/* The path that the kernel has for it; false where it has none that would be of use. */
static bool read_path(int directory, const char *name, char path[static PATH_SEEN]) {
	ssize_t n = readlinkat(directory, name, path, PATH_SEEN);

	if (n <= 0 || n == PATH_SEEN)
		return false;
	path[n] = '\0';
	return path[0] == '/';
}

/* One path on one mount is one directory. */
static int open_if(int fds, const char *name, const char *path, int mount) {
	char at[PATH_SEEN];
	_cleanup_close_ int fd = -EBADF;

	if (!read_path(fds, name, at) || strcmp(at, path) != 0)
		return -ENOENT;
	fd = openat(fds, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	return mount_id(fd) == mount ? TAKE_FD(fd) : -ENOENT;
}

int underneath_open(const struct mounts *m, int tree, const char *server) {
	const pid_t pid = process_find(server);
	char name[FILE_FD_PATH_MAX], path[PATH_SEEN];
	_cleanup_(close_listing) DIR *fds = NULL;
	int id = mount_id(tree), r = -ENOENT;
	struct mount_info top;

	if (id < 0)
		return id;
	if (pid <= 0)
		return -ESRCH;
	file_fd_path(tree, name);
	if (!mounts_find(m, id, &top) || !read_path(AT_FDCWD, name, path))
		return -ENOENT;
	snprintf(name, sizeof(name), "/proc/%d/fd", (int)pid);
	fds = opendir(name);
	if (!fds)
		return -errno;
	for (const struct dirent *e = readdir(fds); r == -ENOENT && e; e = readdir(fds))
		r = open_if(dirfd(fds), e->d_name, path, top.parent);
	return r;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whether a directory answers. */
#include "responsive.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "file.h"
#include "mount.h"
#include "strv.h"

#define ANSWER_MILLISECONDS 5000
#define ENTRIES_MAX 20000

static int is_remote(const struct mount_info *i, void *data) {
	static const char *const types[] = { "fuse",   "nfs",	"cifs",	  "smb3",
					     "autofs", "9p",	"ceph",	  "glusterfs",
					     "afs",    "ncpfs", "lustre", "virtiofs" };

	(void)data;
	for (size_t n = 0; n < ARRAY_SIZE(types); n++)
		if (strncmp(i->fstype, types[n], strlen(types[n])) == 0)
			return 1;
	return 0;
}

static bool has_remote_mounts(void) {
	_cleanup_(mounts_freep) struct mounts *m = NULL;

	return mounts_read(&m) == 0 && mounts_each(m, is_remote, NULL) == 1;
}

/* The child: touches what discovery will touch, and ends. */
static void touch(int root, const char *directory) {
	_cleanup_close_ int fd = file_open_in(root, directory, O_PATH | O_DIRECTORY);
	_cleanup_strv_ char **entries = NULL;
	char byte;

	if (fd < 0 || file_list(fd, ENTRIES_MAX, &entries) < 0)
		return;
	for (char **entry = entries; *entry; entry++) {
		_cleanup_free_ char *path = file_join(directory, *entry);
		_cleanup_close_ int target = path ? file_open_in(root, path, O_PATH)
						  : -ENOMEM;
		_cleanup_close_ int opened = -EBADF;
		struct stat st;

		if (target < 0 || fstat(target, &st) < 0 || !S_ISREG(st.st_mode))
			continue;
		opened = file_reopen(target, O_RDONLY);
		if (opened >= 0)
			(void)file_read_at(opened, &byte, 1, 0);
	}
}

int responsive_check(int root, const char *directory) {
	_cleanup_close_ int pidfd = -EBADF;
	struct pollfd p = { .events = POLLIN };
	pid_t child;
	int r;

	if (!has_remote_mounts())
		return 0;
	child = fork();
	if (child < 0)
		return -errno;
	if (child == 0) {
		touch(root, directory);
		_exit(0);
	}
	pidfd = (int)syscall(SYS_pidfd_open, child, 0);
	p.fd = pidfd;
	do
		r = pidfd < 0 ? 1 : poll(&p, 1, ANSWER_MILLISECONDS);
	while (r < 0 && errno == EINTR);
	if (r != 0) {
		waitpid(child, NULL, 0);
		return 0;
	}
	/* It may never die while the server holds it; it is not waited for, and init takes it over. */
	kill(child, SIGKILL);
	return -ETIMEDOUT;
}

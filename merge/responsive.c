/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whether a directory answers. */
#include "responsive.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "file.h"
#include "stack.h"
#include "strv.h"

#define ANSWER_MILLISECONDS 5000
#define ENTRIES_MAX 20000
#define NAME_BYTES 257 /* of an entry, with its end */
#define HUNG_MAX 4     /* entries of one directory, before it is given up */

static int is_remote(const struct mount_info *i, void *data) {
	static const char *const types[] = { "fuse",   "nfs",	"cifs",	  "smb3",
					     "autofs", "9p",	"ceph",	  "glusterfs",
					     "afs",    "ncpfs", "lustre", "virtiofs" };

	(void)data;
	if (stack_is_ours(i))
		return 0; /* our servers answer, or die */
	for (size_t n = 0; n < ARRAY_SIZE(types); n++)
		if (strncmp(i->fstype, types[n], strlen(types[n])) == 0)
			return 1;
	return 0;
}

bool responsive_has_doubt(const struct mounts *m) {
	return mounts_each(m, is_remote, NULL) == 1;
}

static void touch_entry(int root, const char *directory, const char *entry) {
	_cleanup_free_ char *path = file_join(directory, entry);
	_cleanup_close_ int target = path ? file_open_in(root, path, O_PATH) : -ENOMEM;
	_cleanup_close_ int opened = -EBADF;
	struct stat st;
	char byte;

	if (target < 0 || fstat(target, &st) < 0 || !S_ISREG(st.st_mode))
		return;
	opened = file_reopen(target, O_RDONLY);
	if (opened >= 0)
		(void)file_read_at(opened, &byte, 1, 0);
}

/* The child: touches all entries behind `last` in their order, and says each name before. */
static void touch_all(int root, const char *directory, const char *last, int out) {
	_cleanup_close_ int fd = file_open_in(root, directory, O_PATH | O_DIRECTORY);
	_cleanup_strv_ char **entries = NULL;

	if (fd < 0 || file_list(fd, ENTRIES_MAX, &entries) < 0)
		return;
	for (char **entry = entries; *entry; entry++) {
		if (strcmp(*entry, last) <= 0)
			continue;
		if (write(out, *entry, strlen(*entry) + 1) < 0)
			return;
		touch_entry(root, directory, *entry);
	}
}

/* The names that the child says; the last whole one is kept in `last`. */
struct listener {
	char text[NAME_BYTES], last[NAME_BYTES];
	size_t len;
};

static void take_names(struct listener *l, const char *bytes, size_t n) {
	for (size_t i = 0; i < n; i++) {
		l->text[l->len++] = bytes[i];
		if (bytes[i] == '\0') {
			memcpy(l->last, l->text, l->len);
			l->len = 0;
		}
		if (l->len == sizeof(l->text))
			l->len = 0; /* no directory has such a name */
	}
}

/* Listens until the child ends (0), or has been silent for too long (-ETIMEDOUT). */
static int listen_to(int in, struct listener *l) {
	struct pollfd p = { .fd = in, .events = POLLIN };
	char bytes[4096];

	for (;;) {
		int ready = poll(&p, 1, ANSWER_MILLISECONDS);
		ssize_t n;

		if (ready < 0 && errno == EINTR)
			continue;
		if (ready <= 0)
			return ready < 0 ? -errno : -ETIMEDOUT;
		n = read(in, bytes, sizeof(bytes));
		if (n <= 0)
			return 0;
		take_names(l, bytes, (size_t)n);
	}
}

/*
 * A child that is stuck lives on when we are done: it must hold neither the lock, nor a pipe that somebody
 * reads to its end, nor the mounts of images that are made later. Leaves `root` as 0 and `out` as 1.
 */
static bool let_go(int root, int out) {
	(void)unshare(CLONE_NEWNS); /* without privilege nothing is mounted here, either */
	if (dup2(root, 0) < 0 || dup2(out, 1) < 0)
		return false;
	if (syscall(SYS_close_range, 2, ~0U, 0) == 0)
		return true;
	for (int fd = 2; fd < 4096; fd++) /* before Linux 5.9 */
		close(fd);
	return true;
}

/*
 * One child's attempt, behind the entry `l->last`. A child that is stuck may never die while the server
 * holds it: it is killed, but not waited for, and init takes it over.
 */
static int try_directory(int root, const char *directory, struct listener *l) {
	_cleanup_close_ int in = -EBADF, out = -EBADF;
	int fds[2], r;
	pid_t child;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	in = fds[0];
	out = fds[1];
	child = fork();
	if (child < 0)
		return -errno;
	if (child == 0) {
		if (let_go(root, out))
			touch_all(0, directory, l->last, 1);
		_exit(0);
	}
	close_fdp(&out);
	out = -EBADF;
	r = listen_to(in, l);
	if (r < 0)
		kill(child, SIGKILL);
	else
		waitpid(child, NULL, 0);
	return r;
}

int responsive_check(int root, const char *directory, char ***ret_hung) {
	struct listener l = { .len = 0 };
	int r = -ETIMEDOUT;

	for (unsigned tries = 0; r == -ETIMEDOUT && tries < HUNG_MAX; tries++) {
		char before[NAME_BYTES];

		strcpy(before, l.last);
		l.len = 0;
		r = try_directory(root, directory, &l);
		if (r != -ETIMEDOUT)
			break;
		if (strcmp(before, l.last) ==
		    0) /* not even a name: the directory itself */
			return r;
		r = strv_append(ret_hung, l.last);
		if (r == 0)
			r = -ETIMEDOUT;
	}
	return r;
}

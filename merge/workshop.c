/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A mount namespace of our own in which everything is built aside. */
#include "workshop.h"

#include <sched.h>

#include "kernel.h"
#include "virtualfs.h"

#define SOURCE "extmerge:workshop" /* as who looks at the mount table sees it */

static int mount_virtual(const char *type) {
	return virtualfs_mount(type, "source", SOURCE,
			       MOUNT_ATTR_NOEXEC | MOUNT_ATTR_NOSUID);
}

/* The fd of this process' mount namespace, also where nobody has mounted /proc. */
static int open_namespace(void) {
	_cleanup_close_ int proc = -EBADF;
	int fd = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);

	if (fd >= 0 || errno != ENOENT)
		return fd < 0 ? -errno : fd;
	proc = mount_virtual("proc");
	if (proc < 0)
		return proc;
	fd = openat(proc, "self/ns/mnt", O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static int go_to(int root, int directory) {
	if (fchdir(root) < 0 || chroot(".") < 0 || fchdir(directory) < 0)
		return -errno;
	return 0;
}

/*
 * Nothing done in the copy may propagate to the original. In a chroot "/" is no mount point (EINVAL):
 * then from the real root of the namespace, where setns() leads.
 */
static int make_private(void) {
	_cleanup_close_ int namespace = -EBADF, root = -EBADF, directory = -EBADF;

	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0)
		return 0;
	if (errno != EINVAL)
		return -errno;
	namespace = open_namespace();
	root = open("/", O_PATH | O_CLOEXEC);
	directory = open(".", O_PATH | O_CLOEXEC);
	if (namespace < 0 || root < 0 || directory < 0)
		return -errno;
	if (setns(namespace, CLONE_NEWNS) < 0 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return -errno;
	return go_to(root, directory);
}

/*
 * Where nobody looks for anything: a directory of /proc that is always there, but for a /proc of processes only. Not "/", where
 * there is another: a path that climbs to the root by ".." is led into what is mounted over it.
 */
static int attach_scratch(struct workshop *w) {
	static const char *const places[] = { "/proc/fs", "/" };

	w->scratch = mount_virtual("tmpfs");
	if (w->scratch < 0)
		return w->scratch;
	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		if (move_mount(w->scratch, "", AT_FDCWD, places[i],
			       MOVE_MOUNT_F_EMPTY_PATH) == 0)
			return 0;
	return -errno;
}

/* Files are named by /proc/self/fd to some interfaces, so there must be one. */
static int provide_proc(void) {
	_cleanup_close_ int proc = -EBADF;

	if (access("/proc/self/fd", F_OK) == 0)
		return 0;
	proc = mount_virtual("proc");
	if (proc < 0)
		return proc;
	return move_mount(proc, "", AT_FDCWD, "/proc", MOVE_MOUNT_F_EMPTY_PATH) < 0
		       ? -errno
		       : 0;
}

int workshop_enter(struct workshop *ret) {
	struct workshop w = WORKSHOP_NONE;
	int r = 0;

	w.namespace = open_namespace();
	if (w.namespace < 0)
		return w.namespace;
	w.root = open("/", O_PATH | O_CLOEXEC);
	if (w.root >= 0)
		w.directory = open(".", O_PATH | O_CLOEXEC);
	if (w.root < 0 || w.directory < 0 || unshare(CLONE_NEWNS) < 0)
		r = -errno;
	w.inside = r == 0;
	if (r == 0)
		r = make_private();
	if (r == 0)
		r = provide_proc();
	if (r == 0)
		r = attach_scratch(&w);
	if (r < 0) {
		workshop_done(&w);
		return r;
	}
	*ret = w;
	return 0;
}

int workshop_redirect(struct workshop *w, int namespace, int root) {
	_cleanup_close_ int other = fcntl(namespace, F_DUPFD_CLOEXEC, 3);
	_cleanup_close_ int top = fcntl(root, F_DUPFD_CLOEXEC, 3);
	_cleanup_close_ int directory = fcntl(root, F_DUPFD_CLOEXEC, 3);

	if (other < 0 || top < 0 || directory < 0)
		return -errno;
	close_fdp(&w->namespace);
	close_fdp(&w->root);
	close_fdp(&w->directory);
	w->namespace = TAKE_FD(other);
	w->root = TAKE_FD(top);
	w->directory = TAKE_FD(directory);
	return 0;
}

int workshop_vigil(struct workshop *w) {
	if (w->vigil[0] < 0 && pipe2(w->vigil, O_CLOEXEC) < 0)
		return -errno;
	return w->vigil[0];
}

static void end_vigil(struct workshop *w) {
	for (size_t i = 0; i < ARRAY_SIZE(w->vigil); i++) {
		close_fdp(&w->vigil[i]);
		w->vigil[i] = -EBADF;
	}
}

int workshop_leave(struct workshop *w) {
	int r;

	end_vigil(w);
	if (!w->inside)
		return 0;
	if (setns(w->namespace, CLONE_NEWNS) < 0)
		return -errno;
	r = go_to(w->root, w->directory);
	w->inside = r < 0;
	return r;
}

int workshop_attach(struct workshop *w, int fd, char ret[static WORKSHOP_NAME_MAX]) {
	snprintf(ret, WORKSHOP_NAME_MAX, "%u", w->n_attached++);
	if (mkdirat(w->scratch, ret, 0700) < 0 ||
	    move_mount(fd, "", w->scratch, ret, MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return -errno;
	return 0;
}

void workshop_done(struct workshop *w) {
	workshop_leave(w);
	close_fdp(&w->scratch);
	close_fdp(&w->namespace);
	close_fdp(&w->root);
	close_fdp(&w->directory);
}

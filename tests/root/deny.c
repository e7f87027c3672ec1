/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Makes this kernel look like an older one, for a program that preloads it. EXTMERGE_DENY is a list of what is
 * missing, with a comma after each word; the errors are those that older kernels were seen to give.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <linux/magic.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#define CONTEXTS 1024
#define BENEATH 0x200u
#define MNT_ID_UNIQUE 0x4000u

/* What is known of each file-system context, by its fd. */
static struct context { bool is_erofs, is_on_file, has_lowerdir; } contexts[CONTEXTS];

static bool is_denied(const char *word) {
	const char *list = getenv("EXTMERGE_DENY");
	size_t len = strlen(word);

	for (; list && *list; list += strcspn(list, ","), list += *list == ',')
		if (strncmp(list, word, len) == 0 &&
		    (list[len] == ',' || list[len] == '\0'))
			return true;
	return false;
}

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static int fail(int error) {
	errno = error;
	return -1;
}

/*
 * "fsopen": no mount API of this kind (before Linux 5.2). "overlay": no overlayfs. "overlay-right": a security module or a
 * filter refuses it.
 */
int fsopen(const char *type, unsigned flags) {
	int fd;

	if (is_denied("fsopen"))
		return fail(ENOSYS);
	if (strcmp(type, "overlay") == 0 && is_denied("overlay"))
		return fail(ENODEV);
	if (strcmp(type, "overlay") == 0 && is_denied("overlay-right"))
		return fail(EPERM);
	fd = NEXT(fsopen)(type, flags);
	if (fd >= 0 && fd < CONTEXTS)
		contexts[fd] = (struct context){ .is_erofs = strcmp(type, "erofs") == 0 };
	return fd;
}

static bool is_file(const char *path) {
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

/*
 * "fd": layers by fd (before 6.13). "path": lowerdir+, which kernels before 6.8 take without a word and refuse when
 * the file system is created. "erofs": erofs from a file (before 6.12).
 */
int fsconfig(int fd, unsigned command, const char *key, const void *value, int aux) {
	struct context none = { 0 },
		       *c = fd >= 0 && fd < CONTEXTS ? &contexts[fd] : &none;

	if (command == FSCONFIG_SET_FD && strcmp(key, "lowerdir+") == 0 && is_denied("fd"))
		return fail(EOPNOTSUPP);
	if (command == FSCONFIG_SET_STRING && strcmp(key, "lowerdir+") == 0 &&
	    is_denied("path")) {
		c->has_lowerdir = true;
		return 0;
	}
	if (command == FSCONFIG_SET_STRING && strcmp(key, "source") == 0)
		c->is_on_file = is_file(value);
	if (command == FSCONFIG_CMD_CREATE && c->has_lowerdir)
		return fail(EINVAL);
	if (command == FSCONFIG_CMD_CREATE && c->is_erofs && c->is_on_file &&
	    is_denied("erofs"))
		return fail(ENOTBLK);
	return NEXT(fsconfig)(fd, command, key, value, aux);
}

/* "detached": clones of mounts that are not attached (before 6.15). */
static bool is_detached[CONTEXTS];

int fsmount(int context, unsigned flags, unsigned attributes) {
	int fd = NEXT(fsmount)(context, flags, attributes);

	if (fd >= 0 && fd < CONTEXTS)
		is_detached[fd] = true;
	return fd;
}

/* Whether the fd is of a path that ends like the one in the variable. */
static bool is_at(int fd, const char *variable) {
	const char *end = getenv(variable);
	char link[64], path[4096];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = end ? readlink(link, path, sizeof(path) - 1) : -1;
	if (n < (ssize_t)(end ? strlen(end) : 0))
		return false;
	path[n] = '\0';
	return strcmp(path + n - strlen(end), end) == 0;
}

/* EXTMERGE_GONE: a directory that goes away before it is cloned. */
int open_tree(int dir, const char *path, unsigned flags) {
	bool known = dir >= 0 && dir < CONTEXTS && is_detached[dir];

	if (known && (flags & OPEN_TREE_CLONE) && is_denied("detached"))
		return fail(EINVAL);
	if (*path == '\0' && is_at(dir, "EXTMERGE_GONE"))
		return fail(ENOENT);
	return NEXT(open_tree)(dir, path, flags);
}

/* "beneath": MOVE_MOUNT_BENEATH (before 6.5). EXTMERGE_FULL: where one mount more is too many. */
int move_mount(int from, const char *from_path, int to, const char *to_path,
	       unsigned flags) {
	if ((flags & BENEATH) && is_denied("beneath"))
		return fail(EINVAL);
	if (from >= 0 && from < CONTEXTS)
		is_detached[from] = false;
	if (*to_path == '\0' && is_at(to, "EXTMERGE_FULL"))
		return fail(ENOSPC);
	return NEXT(move_mount)(from, from_path, to, to_path, flags);
}

/* "loop": loop devices. */
int ioctl(int fd, unsigned long request, ...) {
	va_list arguments;
	void *argument;

	va_start(arguments, request);
	argument = va_arg(arguments, void *);
	va_end(arguments);
	if (request == LOOP_CTL_GET_FREE && is_denied("loop"))
		return fail(ENODEV);
	return NEXT(ioctl)(fd, request, argument);
}

/* "unique": mount ids that are never used again (before 6.8). */
int statx(int fd, const char *restrict path, int flags, unsigned mask,
	  struct statx *restrict sx) {
	int r;

	if (!is_denied("unique"))
		return NEXT(statx)(fd, path, flags, mask, sx);
	r = NEXT(statx)(fd, path, flags, mask & ~MNT_ID_UNIQUE, sx);
	if (r == 0)
		sx->stx_mask &= ~MNT_ID_UNIQUE;
	return r;
}

/* "xattr": user.* on tmpfs (before 6.6). */
static bool is_denied_attribute(int fd, const char *name) {
	struct statfs fs;

	return is_denied("xattr") && strncmp(name, "user.", 5) == 0 &&
	       fstatfs(fd, &fs) == 0 && fs.f_type == TMPFS_MAGIC;
}

int fsetxattr(int fd, const char *name, const void *value, size_t size, int flags) {
	if (is_denied_attribute(fd, name))
		return fail(EOPNOTSUPP);
	return NEXT(fsetxattr)(fd, name, value, size, flags);
}

/* EXTMERGE_HIDE: a path that no merged tree shows, as if its layer had been lost on the way (switch.5). */
int fstatat(int dir, const char *restrict path, struct stat *restrict st, int flags) {
	const char *hidden = getenv("EXTMERGE_HIDE");
	struct statfs fs;

	if (hidden && strcmp(path, hidden) == 0 && fstatfs(dir, &fs) == 0 &&
	    (fs.f_type == OVERLAYFS_SUPER_MAGIC || fs.f_type == FUSE_SUPER_MAGIC))
		return fail(ENOENT);
	return NEXT(fstatat)(dir, path, st, flags);
}

int fremovexattr(int fd, const char *name) {
	if (is_denied_attribute(fd, name))
		return fail(EOPNOTSUPP);
	return NEXT(fremovexattr)(fd, name);
}

/* "tmpfile": no files without a name, as on FAT and NFS. */
int openat(int dir, const char *path, int flags, ...) {
	mode_t mode = 0;
	va_list ap;

	if ((flags & O_TMPFILE) == O_TMPFILE && is_denied("tmpfile"))
		return fail(EOPNOTSUPP);
	va_start(ap, flags);
	if (flags & O_CREAT || (flags & O_TMPFILE) == O_TMPFILE)
		mode = va_arg(ap, mode_t);
	va_end(ap);
	return NEXT(openat)(dir, path, flags, mode);
}

/* "fuse": there is no /dev/fuse. */
int open(const char *path, int flags, ...) {
	mode_t mode = 0;
	va_list ap;

	if (strcmp(path, "/dev/fuse") == 0 && is_denied("fuse"))
		return fail(ENOENT);
	va_start(ap, flags);
	if (flags & O_CREAT)
		mode = va_arg(ap, mode_t);
	va_end(ap);
	return NEXT(open)(path, flags, mode);
}

/* EXTMERGE_HURRY: who would wait for so many milliseconds waits for a tenth of a second. */
int poll(struct pollfd *fds, nfds_t n, int timeout) {
	const char *hurry = getenv("EXTMERGE_HURRY");

	if (hurry && timeout == atoi(hurry))
		timeout = 100;
	return NEXT(poll)(fds, n, timeout);
}

/* "noreplace": no rename that would not replace, as on NFS. */
int renameat2(int from, const char *old, int to, const char *new, unsigned flags) {
	if (flags && is_denied("noreplace"))
		return fail(EINVAL);
	return NEXT(renameat2)(from, old, to, new, flags);
}

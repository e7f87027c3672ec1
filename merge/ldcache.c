/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The dynamic linker's cache for what is merged. */
#include "ldcache.h"

#include <string.h>
#include <sys/vfs.h>

#include "command.h"
#include "kernel.h"
#include "mount.h"

#define CACHE "/etc/ld.so.cache"
#define PLACE "/run/extmerge"
/*
 * ldconfig makes it beside, and renames. The name stays as long as the file is mounted: what has none cannot be moved
 * into another tree, as the mounts of /etc are when that is merged.
 */
#define FILE_PATH PLACE "/ld.so.cache"
#define BESIDE FILE_PATH "~"
#define TMPFS_MAGIC_NUMBER 0x01021994
/* On a file the sticky bit means nothing: it says that the file is ours. */
#define MODE (S_ISVTX | 0644)
#define PEEL_MAX 16

static const char *const programs[] = {
	/* Some distributions wrap it into a shell script, for package managers. */
	"/usr/sbin/ldconfig.real", "/sbin/ldconfig.real", "/usr/sbin/ldconfig",
	"/sbin/ldconfig",	   "/usr/bin/ldconfig",	  NULL,
};

/* As above; *ret_fd is the file that is seen, in every case but that of an error. */
static int look(int *ret_fd) {
	_cleanup_close_ int fd = open(CACHE, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct statfs fs;
	struct stat st;
	int is_root;

	if (fd < 0 || fstat(fd, &st) < 0 || fstatfs(fd, &fs) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -ENOENT;
	is_root = mount_is_root(fd);
	if (is_root < 0)
		return is_root;
	if (is_root && (fs.f_type != TMPFS_MAGIC_NUMBER || !(st.st_mode & S_ISVTX)))
		return -EBUSY;
	*ret_fd = TAKE_FD(fd);
	return is_root;
}

int ldcache_is_ours(void) {
	_cleanup_close_ int fd = -EBADF;

	return look(&fd);
}

static int run_ldconfig(const char *path, unsigned milliseconds, char **ret_why) {
	char *const arguments[] = { (char *)"ldconfig", (char *)"-X", (char *)"-C",
				    (char *)FILE_PATH, NULL };
	struct command_result result;
	int r = command_run(path, arguments, -EBADF, milliseconds, &result);

	if (r < 0)
		return r;
	if (result.end != COMMAND_DONE) {
		*ret_why = command_complaint(&result);
		r = -EIO;
	}
	command_result_done(&result);
	return r;
}

/* The new file as a detached mount. */
static int take_new(void) {
	struct mount_attr attributes = { .attr_set =
						 MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID |
						 MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC };
	_cleanup_close_ int fd = -EBADF;

	if (chmod(FILE_PATH, MODE) < 0)
		return -errno;
	fd = open_tree(AT_FDCWD, FILE_PATH,
		       OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_SYMLINK_NOFOLLOW);
	if (fd < 0)
		return -errno;
	if (mount_setattr(fd, "", AT_EMPTY_PATH, &attributes, sizeof(attributes)) < 0)
		return -errno;
	return TAKE_FD(fd);
}

static int put(int tree, int at, unsigned flags) {
	return move_mount(tree, "", at, "",
			  MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH | flags) < 0
		       ? -errno
		       : 0;
}

/*
 * Beneath the old one, as trees are switched. Where the kernel cannot do that, or does not because the old one's
 * name is gone, the host's own is seen for a moment, which is complete in itself.
 */
static int replace(int tree, int old) {
	_cleanup_close_ int host = -EBADF;
	int r = put(tree, old, MOVE_MOUNT_BENEATH);

	if (r < 0 && r != -EINVAL && r != -ENOENT)
		return r;
	if (umount2(CACHE, MNT_DETACH | UMOUNT_NOFOLLOW) < 0)
		return -errno;
	if (r == 0)
		return 0;
	host = open(CACHE, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	return host < 0 ? -errno : put(tree, host, 0);
}

static void remove_file(void) {
	(void)unlink(FILE_PATH);
	(void)rmdir(PLACE); /* where nothing else is in it */
}

int ldcache_make(unsigned milliseconds, char **ret_why) {
	_cleanup_close_ int seen = -EBADF, tree = -EBADF;
	const char *path = command_find(programs);
	int is_ours = look(&seen), r;

	*ret_why = NULL;
	if (!path)
		return -ENOENT;
	if (is_ours < 0)
		return is_ours;
	if (mkdir(PLACE, 0755) < 0 && errno != EEXIST)
		return -errno;
	r = run_ldconfig(path, milliseconds, ret_why);
	if (r == 0) {
		tree = take_new();
		r = tree < 0 ? tree : 0;
	}
	if (r == 0)
		r = is_ours ? replace(tree, seen) : put(tree, seen, 0);
	(void)unlink(BESIDE);
	if (r < 0 && !is_ours)
		remove_file();
	return r;
}

int ldcache_remove(void) {
	for (int i = 0; i < PEEL_MAX; i++) {
		_cleanup_close_ int seen = -EBADF;

		if (look(&seen) != 1) {
			remove_file();
			return 0;
		}
		if (umount2(CACHE, MNT_DETACH | UMOUNT_NOFOLLOW) < 0)
			return -errno;
	}
	return -EBUSY;
}

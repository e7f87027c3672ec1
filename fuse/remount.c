/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* mount(2) with MS_REMOUNT changes the file system and the mount in one step, for both of which "ro" is meant. */
#include "remount.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/mount.h>
#include <sys/vfs.h>
#include <sys/xattr.h>

#include "../merge/kernel.h"
#include "union-io.h"

static const struct {
	uint64_t attribute;
	unsigned long flag;
} flags[] = {
	{ MOUNT_ATTR_RDONLY, MS_RDONLY },
	{ MOUNT_ATTR_NOSUID, MS_NOSUID },
	{ MOUNT_ATTR_NODEV, MS_NODEV },
	{ MOUNT_ATTR_NOEXEC, MS_NOEXEC },
	{ MOUNT_ATTR_NOATIME, MS_NOATIME },
	{ MOUNT_ATTR_NODIRATIME, MS_NODIRATIME },
	{ MOUNT_ATTR_NOSYMFOLLOW, MS_NOSYMFOLLOW },
};

static int check(const char *directory, bool writable) {
	_cleanup_close_ int fd = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct statfs fs;

	if (fd < 0 || fstatfs(fd, &fs) < 0)
		return -errno;
	if (fs.f_type != FUSE_SUPER_MAGIC)
		return -EMEDIUMTYPE;
	if (!writable || getxattr(directory, UNION_UPPER_XATTR, NULL, 0) >= 0)
		return 0;
	return errno == ENODATA || errno == EOPNOTSUPP ? -EROFS : -errno;
}

int remount(const char *directory, uint64_t attributes) {
	/* Without a word about times of access those of before would stay. */
	unsigned long wanted = MS_REMOUNT |
			       (attributes & MOUNT_ATTR_NOATIME ? 0 : MS_RELATIME);
	int r = check(directory, !(attributes & MOUNT_ATTR_RDONLY));

	for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
		if (attributes & flags[i].attribute)
			wanted |= flags[i].flag;
	if (r == 0 && mount(NULL, directory, NULL, wanted, NULL) < 0)
		r = -errno;
	return r;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* fsopen() to fsmount() for FUSE. */
#include "connection.h"

#include <sys/sysmacros.h>

#include "../merge/kernel.h"

#define MISC_MAJOR 10
#define FUSE_MINOR 229
#define READ_AHEAD_KB 1024

int connection_open(void) {
	_cleanup_close_ int fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	struct stat st;

	if (fd < 0)
		return errno == ENOENT || errno == ENXIO ? -ENODEV : -errno;
	if (fstat(fd, &st) < 0)
		return -errno;
	return S_ISCHR(st.st_mode) && st.st_rdev == makedev(MISC_MAJOR, FUSE_MINOR)
		       ? TAKE_FD(fd)
		       : -ENODEV;
}

static int set(int context, const char *key, const char *value) {
	if (fsconfig(context, value ? FSCONFIG_SET_STRING : FSCONFIG_SET_FLAG, key, value,
		     0) < 0)
		return -errno;
	return 0;
}

static int configure(int context, int fuse_fd, const struct connection_mount *m) {
	char number[16], mode[16], user[16], group[16];
	const char *const options[][2] = {
		{ "source", m->source },
		{ "subtype", "extmerge-fuse" },
		{ "fd", number },
		{ "rootmode", mode },
		{ "user_id", user },
		{ "group_id", group },
		{ m->writes ? "rw" : "ro", NULL },
		{ "allow_other", NULL },
		{ "default_permissions", NULL },
	};
	size_t n = ARRAY_SIZE(options) - (m->for_all ? 0 : 2);
	int r = 0;

	snprintf(number, sizeof(number), "%d", fuse_fd);
	snprintf(mode, sizeof(mode), "%o", (unsigned)m->rootmode);
	/* 0, but in a user namespace that has no 0 */
	snprintf(user, sizeof(user), "%u", (unsigned)geteuid());
	snprintf(group, sizeof(group), "%u", (unsigned)getegid());
	for (size_t i = 0; r == 0 && i < n; i++)
		r = set(context, options[i][0], options[i][1]);
	return r;
}

int connection_mount(int fuse_fd, const struct connection_mount *m) {
	_cleanup_close_ int context = fsopen("fuse", FSOPEN_CLOEXEC);
	int fd, r;

	if (context < 0)
		return -errno;
	r = configure(context, fuse_fd, m);
	if (r < 0)
		return r;
	if (fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -errno;
	fd = fsmount(context, FSMOUNT_CLOEXEC, (unsigned)m->attributes);
	return fd < 0 ? -errno : fd;
}

void connection_read_ahead(dev_t device) {
	_cleanup_close_ int fd = -EBADF;
	char path[64];

	snprintf(path, sizeof(path), "/sys/class/bdi/%u:%u/read_ahead_kb", major(device),
		 minor(device));
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd >= 0)
		dprintf(fd, "%d", READ_AHEAD_KB);
}

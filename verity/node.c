/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Device nodes without udev. */
#include "node.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

int node_open_own(mode_t type, dev_t device, int flags, int nodes) {
	char name[48];
	int fd;

	snprintf(name, sizeof(name), "%c%u:%u.%d", type == S_IFBLK ? 'b' : 'c',
		 major(device), minor(device), getpid());
	if (mknodat(nodes, name, type | 0600, device) < 0 && errno != EEXIST)
		return -errno;
	fd = openat(nodes, name, flags | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		fd = -errno;
	unlinkat(nodes, name, 0);
	return fd;
}

int node_open(const char *path, mode_t type, dev_t device, int flags, int nodes) {
	struct stat st;
	int fd;

	if (stat(path, &st) < 0 || (st.st_mode & S_IFMT) != type || st.st_rdev != device)
		return node_open_own(type, device, flags, nodes);
	fd = open(path, flags | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

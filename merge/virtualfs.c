/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* fsopen() to fsmount(). */
#include "virtualfs.h"

#include "kernel.h"

int virtualfs_mount(const char *type, const char *key, const char *value,
		    uint64_t attributes) {
	_cleanup_close_ int context = fsopen(type, FSOPEN_CLOEXEC);
	int fd;

	if (context < 0 || fsconfig(context, FSCONFIG_SET_STRING, key, value, 0) < 0 ||
	    fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -errno;
	fd = fsmount(context, FSMOUNT_CLOEXEC, (unsigned)attributes);
	return fd < 0 ? -errno : fd;
}

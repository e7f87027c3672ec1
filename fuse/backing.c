/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Two ioctls of /dev/fuse. */
#include "backing.h"

#include <sys/ioctl.h>
#include <sys/mman.h>

int32_t backing_open(int fuse_fd, int fd) {
	const struct backing_map map = { .fd = fd };
	int id = ioctl(fuse_fd, BACKING_OPEN_CALL, &map);

	return id < 0 ? -errno : id;
}

void backing_close(int fuse_fd, int32_t id) {
	const uint32_t number = (uint32_t)id;

	if (id > 0)
		ioctl(fuse_fd, BACKING_CLOSE_CALL, &number);
}

int backing_probe(int fuse_fd) {
	_cleanup_close_ int fd = memfd_create("extmerge-probe", MFD_CLOEXEC);
	int32_t id;

	if (fd < 0)
		return -errno;
	id = backing_open(fuse_fd, fd);
	if (id < 0)
		return id;
	backing_close(fuse_fd, id);
	return 0;
}

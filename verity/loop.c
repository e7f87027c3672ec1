/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Read-only loop devices over a range of a file, without udev. */
#include "loop.h"

#include <fcntl.h>
#include <linux/loop.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

/* Others take the number between the two calls as well: this often before it is an error. */
#define LOOP_TRIES 64
#define LOOP_CONTROL_MINOR 237
#define MISC_MAJOR 10
#define LOOP_MAJOR 7
/* Whatever the image's table counts in: every file system's blocks are a multiple of it. */
#define LOOP_SECTOR_SIZE 512

/* Opens /dev/`name`, or a node of our own where it is missing or no such device any more. */
static int open_node(const char *name, mode_t type, dev_t device, int flags, int nodes) {
	char path[32];
	struct stat st;
	int fd;

	snprintf(path, sizeof(path), "/dev/%s", name);
	if (stat(path, &st) == 0 && (st.st_mode & S_IFMT) == type &&
	    st.st_rdev == device) {
		fd = open(path, flags | O_CLOEXEC);
		return fd < 0 ? -errno : fd;
	}
	if (mknodat(nodes, name, type | 0600, device) < 0 && errno != EEXIST)
		return -errno;
	fd = openat(nodes, name, flags | O_CLOEXEC | O_NOFOLLOW);
	return fd < 0 ? -errno : fd;
}

static int configure(int loop, int fd, uint64_t offset, uint64_t size) {
	const struct loop_config config = {
		.fd = (uint32_t)fd,
		.block_size = LOOP_SECTOR_SIZE,
		.info = {
			.lo_offset = offset,
			.lo_sizelimit = size,
			.lo_flags = LO_FLAGS_READ_ONLY | LO_FLAGS_AUTOCLEAR,
		},
	};

	return ioctl(loop, LOOP_CONFIGURE, &config) < 0 ? -errno : 0;
}

static int attach_once(int control, int fd, uint64_t offset, uint64_t size, int nodes) {
	_cleanup_close_ int loop = -EBADF;
	char name[16];
	int n = ioctl(control, LOOP_CTL_GET_FREE), r;

	if (n < 0)
		return -errno;
	snprintf(name, sizeof(name), "loop%d", n);
	loop = open_node(name, S_IFBLK, makedev(LOOP_MAJOR, (unsigned)n), O_RDONLY, nodes);
	if (loop < 0)
		return loop;
	r = configure(loop, fd, offset, size);
	return r < 0 ? r : TAKE_FD(loop);
}

int loop_attach(int fd, uint64_t offset, uint64_t size, int nodes) {
	_cleanup_close_ int control = open_node("loop-control", S_IFCHR,
						makedev(MISC_MAJOR, LOOP_CONTROL_MINOR),
						O_RDWR, nodes);
	int r = -EBUSY;

	if (control < 0)
		return control == -ENXIO ? -ENODEV : control;
	for (unsigned i = 0; r == -EBUSY && i < LOOP_TRIES; i++)
		r = attach_once(control, fd, offset, size, nodes);
	return r;
}

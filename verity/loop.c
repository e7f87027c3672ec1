/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Read-only loop devices over a range of a file, without udev. */
#include "loop.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <linux/loop.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "node.h"

/* Others take the number between the two calls as well: this often before it is an error. */
#define LOOP_TRIES 64
#define LOOP_CONTROL_MINOR 237
#define MISC_MAJOR 10
#define LOOP_MAJOR 7
/* Whatever the image's table counts in: every file system's blocks are a multiple of it. */
#define LOOP_SECTOR_SIZE 512
#define LOOP_READ_AHEAD 4096UL /* sectors of 512 bytes */

/* Kernels before 6.9 begin with 128 KiB, later ones with what the file's own device has. */
static void read_far_ahead(int loop) {
	unsigned long sectors;

	if (ioctl(loop, BLKRAGET, &sectors) == 0 && sectors < LOOP_READ_AHEAD)
		ioctl(loop, BLKRASET, LOOP_READ_AHEAD);
}

static int configure(int loop, const struct loop_config *config) {
	if (ioctl(loop, LOOP_CONFIGURE, config) < 0)
		return -errno;
	if (config->info.lo_flags & LO_FLAGS_DIRECT_IO)
		read_far_ahead(loop);
	return 0;
}

static int attach_once(int control, const struct loop_config *config, int nodes) {
	_cleanup_close_ int loop = -EBADF;
	char path[24];
	int n = ioctl(control, LOOP_CTL_GET_FREE), r;

	if (n < 0)
		return -errno;
	snprintf(path, sizeof(path), "/dev/loop%d", n);
	loop = node_open(path, S_IFBLK, makedev(LOOP_MAJOR, (unsigned)n), O_RDONLY, nodes);
	if (loop < 0)
		return loop;
	r = configure(loop, config);
	return r < 0 ? r : TAKE_FD(loop);
}

int loop_attach(int fd, uint64_t offset, uint64_t size, bool is_direct, int nodes) {
	const struct loop_config config = {
		.fd = (uint32_t)fd,
		.block_size = LOOP_SECTOR_SIZE,
		.info = {
			.lo_offset = offset,
			.lo_sizelimit = size,
			.lo_flags = LO_FLAGS_READ_ONLY | LO_FLAGS_AUTOCLEAR |
				    (is_direct ? LO_FLAGS_DIRECT_IO : 0U),
		},
	};
	_cleanup_close_ int control = node_open("/dev/loop-control", S_IFCHR,
						makedev(MISC_MAJOR, LOOP_CONTROL_MINOR),
						O_RDWR, nodes);
	int r = -EBUSY;

	if (control < 0)
		return control == -ENXIO ? -ENODEV : control;
	for (unsigned i = 0; r == -EBUSY && i < LOOP_TRIES; i++)
		r = attach_once(control, &config, nodes);
	return r;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Files that the kernel holds for a connection, to read them instead of asking. */
#pragma once

#include <linux/ioctl.h>

#include "../merge/base.h"

/* The ioctls of the connection, which headers before Linux 6.9 do not have. */
struct backing_map {
	int32_t fd;
	uint32_t flags;
	uint64_t padding;
};
#define BACKING_OPEN_CALL _IOW(229, 1, struct backing_map)
#define BACKING_CLOSE_CALL _IOW(229, 2, uint32_t)

/* Gives the kernel the open file `fd`. Its number, more than 0, or a negative errno. */
int32_t backing_open(int fuse_fd, int fd);

/* Takes it back; whoever reads it keeps it. 0 is passed over. */
void backing_close(int fuse_fd, int32_t id);

/* Whether the kernel takes files from us: it offers that also to those whom it refuses. 0 or a negative errno. */
int backing_probe(int fuse_fd);

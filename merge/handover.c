/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How a tree that is written stops being written. */
#include "handover.h"

#include <time.h>

#include "kernel.h"
#include "mount.h"

#define PAUSE_MICROSECONDS 100
#define TRIES (HANDOVER_WAIT_MILLISECONDS * 1000 / PAUSE_MICROSECONDS)

static int try_until_idle(int (*stop)(int fd), int fd) {
	const struct timespec pause = { .tv_nsec = PAUSE_MICROSECONDS * 1000 };
	int r = -EBUSY;

	for (unsigned i = 0; r == -EBUSY && i < TRIES; i++) {
		r = stop(fd);
		if (r == -EBUSY)
			nanosleep(&pause, NULL);
	}
	return r;
}

static int stop_mount(int fd) {
	return mount_set_read_only(fd, true);
}

static int stop_file_system(int fd) {
	_cleanup_close_ int context = fspick(fd, "", FSPICK_EMPTY_PATH | FSPICK_CLOEXEC);

	if (context < 0 || fsconfig(context, FSCONFIG_SET_FLAG, "ro", NULL, 0) < 0 ||
	    fsconfig(context, FSCONFIG_CMD_RECONFIGURE, NULL, NULL, 0) < 0)
		return -errno;
	return 0;
}

int handover_stop(int fd) {
	return try_until_idle(stop_mount, fd);
}

int handover_stop_all(int fd) {
	return try_until_idle(stop_file_system, fd);
}

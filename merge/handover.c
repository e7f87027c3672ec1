/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How a tree that is written stops being written. */
#include "handover.h"

#include <sched.h>
#include <time.h>

#include "holders.h"
#include "kernel.h"
#include "mount.h"

#define PAUSE_MICROSECONDS 50
#define WAIT_MICROSECONDS (50 * 1000)
#define WAIT_UNHELD_MICROSECONDS (5 * 1000 * 1000)
#define WAIT_ALL_MICROSECONDS (200 * 1000)

static int64_t now(void) {
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* By the clock: on a busy machine a pause may take much longer. */
static int try_until_idle(int (*stop)(int fd), int fd, int64_t wait) {
	const struct timespec pause = { .tv_nsec = PAUSE_MICROSECONDS * 1000 };
	const int64_t end = now() + wait;
	int r;

	while ((r = stop(fd)) == -EBUSY && now() < end)
		nanosleep(&pause, NULL);
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

int handover_stop(int fd, char **ret_holder) {
	int r = try_until_idle(stop_mount, fd, WAIT_MICROSECONDS);

	*ret_holder = NULL;
	if (r == -EBUSY && holders_count(fd, ret_holder) == 0)
		r = try_until_idle(stop_mount, fd, WAIT_UNHELD_MICROSECONDS);
	return r;
}

int handover_stop_all(int fd) {
	return try_until_idle(stop_file_system, fd, WAIT_ALL_MICROSECONDS);
}

void handover_hurry(struct handover_pace *ret) {
	const struct sched_param first = { .sched_priority = 1 };

	*ret = (struct handover_pace){ .policy = sched_getscheduler(0) };
	if (ret->policy == SCHED_OTHER && sched_setscheduler(0, SCHED_FIFO, &first) == 0)
		ret->is_changed = true;
}

void handover_relax(const struct handover_pace *p) {
	const struct sched_param none = { .sched_priority = 0 };

	if (p->is_changed)
		(void)sched_setscheduler(0, p->policy, &none);
}

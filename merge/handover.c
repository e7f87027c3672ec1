/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How trees that are written stop being written. */
#include "handover.h"

#include <fcntl.h>
#include <sched.h>

#include "file.h"
#include "holders.h"
#include "kernel.h"
#include "mount.h"

#define SHORT_MICROSECONDS 50
#define LONG_MICROSECONDS (2 * 1000)
/* So long somebody may write whom nobody needs to know of. */
#define UNNOTICED_MICROSECONDS (50 * 1000)
#define LOOK_MICROSECONDS (500 * 1000)
#define DRAIN_MICROSECONDS (200 * 1000)

static int64_t now(void) {
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void pause_for(long microseconds) {
	const struct timespec pause = { .tv_nsec = microseconds * 1000 };

	nanosleep(&pause, NULL);
}

/* A container's filter of system calls may not let us. */
static bool is_forbidden(int error) {
	return error == -ENOSYS || error == -EPERM || error == -EOPNOTSUPP;
}

/*
 * The file system, with all mounts of it. The kernel refuses that also for a file that was removed and is still in use, as
 * a library of a process may be for months: where nobody has a file open for writing, the mount alone will do (mutable.16).
 */
static int stop_one(struct handover *t) {
	int r = mount_set_all_read_only(t->tree, true);

	if ((r == -EBUSY && t->is_unheld) || is_forbidden(r))
		r = mount_set_read_only(t->tree, true);
	t->is_stopped = r == 0;
	return r;
}

static void resume_all(struct handover *trees, size_t n) {
	for (size_t i = 0; i < n; i++)
		if (trees[i].is_stopped) {
			(void)handover_resume(trees[i].tree);
			trees[i].is_stopped = false;
		}
}

/* One attempt. That which was busy comes first, so that the others are not disturbed for nothing. */
static int stop_all(struct handover *trees, size_t n, size_t *busy) {
	const size_t first = *busy;
	int r = 0;

	for (size_t i = 0; r == 0 && i < n; i++) {
		*busy = (first + i) % n;
		if (trees[*busy].is_stopped)
			continue;
		clock_gettime(CLOCK_MONOTONIC, &trees[*busy].stopped);
		r = stop_one(&trees[*busy]);
	}
	if (r < 0)
		resume_all(trees, n);
	return r;
}

static bool is_unheld(const struct handover *t) {
	_cleanup_free_ char *holder = NULL;

	return holders_count(t->tree, &holder) == 0;
}

/* A second mount of the tree that is read-only, on top of the first. Who comes by the path comes to that. */
static int cover(const struct handover_place *p, const struct handover *t, int *ret) {
	_cleanup_close_ int at = file_open_in(p->root, t->name, O_PATH | O_DIRECTORY);
	_cleanup_close_ int fd = mount_clone(t->tree);
	int r = fd < 0 ? fd : at < 0 ? at : mount_set_read_only(fd, true);

	if (r == 0 && move_mount(fd, "", at, "",
				 MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
		r = -errno;
	if (r == 0)
		*ret = TAKE_FD(fd);
	return r;
}

/* mutable.12: nobody holds a file, but ever new writers come. They are kept out until those are done who are in. */
static int drain(const struct handover_place *p, struct handover *t) {
	const int64_t end = now() + DRAIN_MICROSECONDS;
	_cleanup_close_ int fd = -EBADF;
	int r;

	clock_gettime(CLOCK_MONOTONIC, &t->stopped);
	r = cover(p, t, &fd);
	if (r < 0)
		return r;
	while ((r = stop_one(t)) == -EBUSY && now() < end)
		pause_for(SHORT_MICROSECONDS);
	mount_detach(fd, p->directory);
	return r;
}

static int stop_or_wait(const struct handover_place *p, struct handover *trees, size_t n,
			int64_t end, size_t *busy) {
	int64_t look = now() + UNNOTICED_MICROSECONDS;
	bool has_looked = false;
	int r;

	while ((r = stop_all(trees, n, busy)) == -EBUSY) {
		struct handover *t = &trees[*busy];

		if (has_looked && now() >= end)
			return -ETIMEDOUT;
		pause_for(has_looked ? LONG_MICROSECONDS : SHORT_MICROSECONDS);
		if (now() < look)
			continue;
		t->is_unheld = is_unheld(t);
		if (t->is_unheld)
			r = drain(p, t);
		if (r < 0 && r != -EBUSY)
			return r;
		has_looked = true;
		look = now() + LOOK_MICROSECONDS;
	}
	return r;
}

int handover_stop(const struct handover_place *p, struct handover *trees, size_t n,
		  unsigned wait, size_t *ret_busy) {
	*ret_busy = 0;
	return n > 0 ? stop_or_wait(p, trees, n, now() + (int64_t)wait * 1000, ret_busy)
		     : 0;
}

int handover_resume(int fd) {
	int r = mount_set_read_only(fd, false);

	if (r == 0 && mount_is_read_only(fd) != 0)
		r = mount_set_all_read_only(fd, false);
	return r;
}

int handover_end(int fd, char **ret_holder) {
	const int64_t end = now() + UNNOTICED_MICROSECONDS;
	int r;

	*ret_holder = NULL;
	while ((r = mount_set_read_only(fd, true)) == -EBUSY && now() < end)
		pause_for(SHORT_MICROSECONDS);
	if (r == -EBUSY)
		(void)holders_count(fd, ret_holder);
	return r;
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

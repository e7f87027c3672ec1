/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the server of a union can ask the kernel for, and what not. */
#include <check.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "fuse/confine.h"
#include "unit.h"

#define PRIORITY 1 /* the lowest of real time */

/* union.21: a thread may move itself, and count for nobody and again for somebody; not more, and nobody else. */
static const struct {
	long call;
	bool is_own;
	int policy; /* of sched_setscheduler() */
	bool refused;
} cases[] = {
	{ SYS_sched_getaffinity, true, 0, false },
	{ SYS_sched_setaffinity, true, 0, false },
	{ SYS_sched_setscheduler, true, SCHED_IDLE, false },
	{ SYS_sched_setscheduler, true, SCHED_OTHER, false },
	{ SYS_sched_setscheduler, true, SCHED_BATCH, true },
	{ SYS_sched_setscheduler, true, SCHED_FIFO, true },
	{ SYS_sched_getaffinity, false, 0, true },
	{ SYS_sched_setaffinity, false, 0, true },
	{ SYS_sched_setscheduler, false, SCHED_IDLE, true },
	{ SYS_ioctl, true, 0, true },
	{ SYS_socket, true, 0, true },
};

static long call(size_t i, pid_t who, cpu_set_t *cpus) {
	const struct sched_param p = {
		.sched_priority = cases[i].policy == SCHED_FIFO ? PRIORITY : 0,
	};

	if (cases[i].call == SYS_sched_setscheduler)
		return syscall(SYS_sched_setscheduler, who, cases[i].policy, &p);
	return syscall(cases[i].call, who, sizeof(*cpus), cpus);
}

/* The number of the first case that is not as it should be, from 1; 0 where all are. */
static int try_all(pid_t parent) {
	cpu_set_t cpus;

	if (sched_getaffinity(0, sizeof(cpus), &cpus) < 0 ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || confine_calls(CONFINE_UNION) < 0)
		return ARRAY_SIZE(cases) + 1;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		bool refused = call(i, cases[i].is_own ? 0 : parent, &cpus) < 0 &&
			       errno == ENOSYS;

		if (refused != cases[i].refused)
			return (int)i + 1;
	}
	return 0;
}

START_TEST(a_thread_may_move_itself) {
	pid_t parent = getpid(), child = fork();
	int status;

	ck_assert_int_ge(child, 0);
	if (child == 0)
		_exit(try_all(parent));
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert(WIFEXITED(status));
	ck_assert_int_eq(WEXITSTATUS(status), 0);
}
END_TEST

int main(void) {
	const TTest *const tests[] = { a_thread_may_move_itself, NULL };

	return unit_main("filter", tests);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The pipe to who started us, signals, and all steps of confinement in their order. */
#include "process.h"

#include <signal.h>

#include "fusermount.h"
#include "request.h"

int process_fail(int fd, int error, const char *what, const char *why) {
	dprintf(fd, "%c%s: %s", -error, what, why);
	return EXIT_FAILURE;
}

void process_ignore_signals(void) {
	static const int ignored[] = { SIGHUP, SIGINT, SIGTERM, SIGQUIT, SIGPIPE };

	for (size_t i = 0; i < ARRAY_SIZE(ignored); i++)
		signal(ignored[i], SIG_IGN);
}

int process_confine(uint64_t keep, const char **ret_what) {
	int r;

	confine_leave_cgroup();
	confine_memory();
	*ret_what = "cannot leave the caller's mounts";
	r = confine_to_nothing();
	/* union.22: who may not mount stays where he is. */
	if (r == -EPERM && fusermount_is_needed())
		r = chdir("/") < 0 ? -errno : 0;
	if (r == 0) {
		*ret_what = "cannot give up privileges";
		r = confine_privileges(keep);
	}
	return r;
}

int process_ready(enum confine_work work) {
	int r = confine_calls(work);

	if (r == 0 && write(REQUEST_FD_READY, "", 1) < 0)
		r = -errno;
	close(REQUEST_FD_READY);
	if (r == 0)
		confine_read_in(); /* while the others serve already */
	return r;
}

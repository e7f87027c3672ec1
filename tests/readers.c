/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Readers that open files again and again, and count how often one was not there:
 *     readers N FILE...
 * runs N processes until SIGTERM or SIGINT, then prints "OPENS MISSED". For demo.sh and tests/root/load.sh.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "merge/base.h"

struct counts {
	atomic_ulong opens, missed;
};

static void hammer(char *const *files, struct counts *counts) {
	for (size_t i = 0;; i = files[i + 1] ? i + 1 : 0) {
		int fd = open(files[i], O_RDONLY | O_CLOEXEC);

		atomic_fetch_add_explicit(&counts->opens, 1, memory_order_relaxed);
		if (fd < 0)
			atomic_fetch_add_explicit(&counts->missed, 1,
						  memory_order_relaxed);
		else
			close(fd);
	}
}

static int start(char *const *files, struct counts *counts, const sigset_t *unblocked) {
	pid_t parent = getpid(), child = fork();

	if (child < 0)
		return -errno;
	if (child > 0)
		return 0;
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
		_exit(1);
	sigprocmask(SIG_SETMASK, unblocked, NULL);
	hammer(files, counts);
	_exit(0);
}

int main(int argc, char **argv) {
	int n = argc > 2 ? atoi(argv[1]) : 0, got;
	struct counts *counts;
	sigset_t end, before;

	if (n < 1 || n > 1000) {
		fprintf(stderr, "usage: readers N FILE...\n");
		return 2;
	}
	counts = mmap(NULL, sizeof(*counts), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (counts == MAP_FAILED)
		return 1;
	sigemptyset(&end);
	sigaddset(&end, SIGTERM);
	sigaddset(&end, SIGINT);
	sigprocmask(SIG_BLOCK, &end, &before);
	prctl(PR_SET_PDEATHSIG, SIGTERM); /* an interrupted script leaves nobody behind */
	for (int i = 0; i < n; i++)
		if (start(argv + 2, counts, &before) < 0)
			return 1;
	sigwait(&end, &got);
	printf("%lu %lu\n", atomic_load(&counts->opens), atomic_load(&counts->missed));
	return 0; /* and the children die with us */
}

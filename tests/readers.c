/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Readers that open files again and again, and count how often one was not there:
 *     readers N FILE|unix:SOCKET...
 * runs N processes until SIGTERM or SIGINT, then prints "OPENS MISSED". What begins with "unix:" is asked for a page by
 * HTTP, and missed if it does not answer with 200. For demo.sh, tests/root/load.sh and service-reload.sh.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "merge/base.h"

struct counts {
	atomic_ulong opens, missed;
};

static bool is_there(const char *path) {
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

/* One request on a connection of its own, read to its end. */
static bool answers(const char *socket_path) {
	static const char question[] = "GET / HTTP/1.0\r\n\r\n";
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	char text[512], first[16] = "";
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool is_sent;
	ssize_t n;

	snprintf(a.sun_path, sizeof(a.sun_path), "%s", socket_path);
	is_sent = fd >= 0 && connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0 &&
		  write(fd, question, sizeof(question) - 1) == sizeof(question) - 1;
	while (is_sent && (n = read(fd, text, sizeof(text))) > 0)
		if (!*first)
			memcpy(first, text, n < 12 ? (size_t)n : 12);
	close_fdp(&fd);
	return strcmp(first, "HTTP/1.0 200") == 0 || strcmp(first, "HTTP/1.1 200") == 0;
}

static void hammer(char *const *files, struct counts *counts) {
	for (size_t i = 0;; i = files[i + 1] ? i + 1 : 0) {
		bool is_got = strncmp(files[i], "unix:", 5) == 0 ? answers(files[i] + 5)
								 : is_there(files[i]);

		atomic_fetch_add_explicit(&counts->opens, 1, memory_order_relaxed);
		if (!is_got)
			atomic_fetch_add_explicit(&counts->missed, 1,
						  memory_order_relaxed);
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
		fprintf(stderr, "usage: readers N FILE|unix:SOCKET...\n");
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

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A child that ends what this process has begun. */
#include "watch.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

/* Ctrl-C is for all processes of a terminal. */
static void ignore_signals(void) {
	static const int signals[] = { SIGHUP, SIGINT, SIGQUIT, SIGPIPE, SIGTERM };

	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		signal(signals[i], SIG_IGN);
}

static ssize_t wait_for(int fd) {
	ssize_t n;
	char word;

	do
		n = read(fd, &word, sizeof(word));
	while (n < 0 && errno == EINTR);
	return n;
}

void watch_begin(struct watch *w, void (*end)(void *data), void *data) {
	*w = (struct watch)WATCH_NONE;
	if (pipe2(w->fds, O_CLOEXEC) < 0)
		return;
	w->child = fork();
	if (w->child != 0)
		return;
	close(w->fds[1]);
	ignore_signals();
	if (wait_for(w->fds[0]) == 0)
		end(data);
	_exit(0);
}

/* The reading end is still open here, so that writing is no SIGPIPE if the child was killed. */
void watch_end(struct watch *w) {
	if (w->child > 0) {
		if (write(w->fds[1], "", 1) != 1)
			(void)kill(w->child, SIGKILL);
		while (waitpid(w->child, NULL, 0) < 0 && errno == EINTR)
			;
	}
	close_fdp(&w->fds[0]);
	close_fdp(&w->fds[1]);
	*w = (struct watch)WATCH_NONE;
}

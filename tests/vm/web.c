/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * web FILE: a service that appends to FILE, when it starts and at each SIGHUP, its number, its user, and the first line of /etc/web.conf ("none" where
 * that is missing). Meanwhile it opens that file again and again, and ends with 1 if it is missing once it has been there.
 */
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const struct timespec pause_between = { .tv_nsec = 500000 };

static bool read_line(char *line, int size) {
	FILE *in = fopen("/etc/web.conf", "re");
	bool is_read = in && fgets(line, size, in);

	if (in)
		fclose(in);
	return is_read;
}

static bool say(const char *file) {
	char line[100];
	bool is_there = read_line(line, sizeof(line));
	FILE *out = fopen(file, "ae");

	if (!out)
		return false;
	fprintf(out, "%d %d %s", getpid(), getuid(), is_there ? line : "none\n");
	fclose(out);
	return is_there;
}

int main(int argc, char **argv) {
	char line[100];
	sigset_t set;
	bool was_there;

	if (argc != 2)
		return 2;
	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	was_there = say(argv[1]);
	for (;;) {
		if (sigtimedwait(&set, NULL, &pause_between) == SIGHUP)
			was_there = say(argv[1]);
		if (was_there && !read_line(line, sizeof(line)))
			return 1;
	}
}

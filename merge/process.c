/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A process that a merged tree depends on. */
#include "process.h"

#include <fcntl.h>
#include <string.h>

#include "text.h"

#define STAT_MAX 4096
#define STATE_FIELD 3 /* proc_pid_stat(5) */
#define START_TIME_FIELD 22

/* The start time, by which a process is told from a later one of the same number; or -errno. */
static int64_t start_time(pid_t pid) {
	char path[32], text[STAT_MAX];
	_cleanup_close_ int fd = -EBADF;
	const char *at;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n = read(fd, text, sizeof(text) - 1);
	if (n < 0)
		return -errno;
	text[n] = '\0';
	/* The second field is a name in brackets, which may hold anything. */
	at = strrchr(text, ')');
	if (at && (at[2] == 'Z' || at[2] == 'X'))
		return -ESRCH; /* dead, and nobody has asked for its status yet */
	for (int field = STATE_FIELD; at && field <= START_TIME_FIELD; field++)
		at = strchr(at + 1, ' ');
	return at ? strtoll(at, NULL, 10) : -EBADMSG;
}

char *process_describe(pid_t pid) {
	return text_format("%d %lld", (int)pid, (long long)start_time(pid));
}

static bool parse(const char *text, int *ret_pid, long long *ret_started) {
	return sscanf(text, "%d %lld", ret_pid, ret_started) == 2 && *ret_started > 0;
}

pid_t process_find(const char *text) {
	long long started;
	int pid;

	return parse(text, &pid, &started) && start_time(pid) == started ? pid : -ESRCH;
}

bool process_is_alive(const char *text) {
	long long started;
	int pid;

	return !parse(text, &pid, &started) || start_time(pid) == started;
}

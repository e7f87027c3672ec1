/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A program of the system that is run. */
#include "command.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "text.h"

/* What it prints goes to memory of this size; what comes after is lost, and keeps nobody waiting. */
#define OUTPUT_SIZE ((size_t)64 * 1024)
#define SAID_MAX ((size_t)400)

/* What programs expect to start with: who uses select() cannot have more, and who closes all of them takes long with many. */
#define DESCRIPTORS 1024
/* How often is asked whether it has ended, where the kernel does not tell. */
#define STEP_MILLISECONDS 20

/* hook.4: nothing of the caller's environment. */
static char *const environment[] = {
	(char *)"PATH=/usr/sbin:/usr/bin:/sbin:/bin",
	(char *)"LC_ALL=C",
	NULL,
};

const char *command_find(const char *const *paths) {
	for (; *paths; paths++)
		if (access(*paths, X_OK) == 0)
			return *paths;
	return NULL;
}

/*
 * A file and no pipe: a service that the program starts may keep it, and is neither waited for nor hit by SIGPIPE. The
 * seal keeps it from growing.
 */
static int make_output(void) {
	int fd = memfd_create("extmerge-command", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0)
		return -errno;
	if (ftruncate(fd, OUTPUT_SIZE) < 0 ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK) < 0) {
		int r = -errno;

		close(fd);
		return r;
	}
	return fd;
}

/* In a session of its own, so that a terminal does not reach it and all of it can be ended at once. */
static int set_attributes(posix_spawnattr_t *a) {
	sigset_t all, none;
	int r;

	sigfillset(&all);
	sigemptyset(&none);
	r = posix_spawnattr_setsigdefault(a, &all);
	r = r ?: posix_spawnattr_setsigmask(a, &none);
	r = r
		    ?: posix_spawnattr_setflags(a, POSIX_SPAWN_SETSIGDEF |
							   POSIX_SPAWN_SETSIGMASK |
							   POSIX_SPAWN_SETSID);
	return -r;
}

static int spawn(const char *path, char *const *arguments, int input, int output,
		 pid_t *ret) {
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	int r;

	r = -posix_spawn_file_actions_init(&actions);
	if (r < 0)
		return r;
	r = -posix_spawnattr_init(&attributes);
	if (r == 0) {
		r = set_attributes(&attributes);
		r = r ?: -posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
		r = r
			    ?: -posix_spawn_file_actions_adddup2(&actions, output,
								 STDOUT_FILENO);
		r = r
			    ?: -posix_spawn_file_actions_adddup2(&actions, output,
								 STDERR_FILENO);
		r = r
			    ?: -posix_spawn(ret, path, &actions, &attributes, arguments,
					    environment);
		posix_spawnattr_destroy(&attributes);
	}
	posix_spawn_file_actions_destroy(&actions);
	return r;
}

/* hook.4: the limit that main() has raised is for us. Nothing is opened while it is lowered, so nothing can fail by that. */
static int spawn_limited(const char *path, char *const *arguments, int input, int output,
			 pid_t *ret) {
	struct rlimit ours, theirs;
	bool is_lowered;
	int r;

	if (getrlimit(RLIMIT_NOFILE, &ours) < 0)
		return -errno;
	theirs = ours;
	theirs.rlim_cur = ours.rlim_cur < DESCRIPTORS ? ours.rlim_cur : DESCRIPTORS;
	is_lowered = setrlimit(RLIMIT_NOFILE, &theirs) == 0;
	r = spawn(path, arguments, input, output, ret);
	if (is_lowered)
		(void)setrlimit(RLIMIT_NOFILE, &ours);
	return r;
}

static int milliseconds_until(const struct timespec *end) {
	struct timespec now;
	long long left;

	clock_gettime(CLOCK_MONOTONIC, &now);
	left = (long long)(end->tv_sec - now.tv_sec) * 1000 +
	       (end->tv_nsec - now.tv_nsec) / 1000000;
	return left > 0 ? (int)left : 0;
}

/* Whether the child has ended; its status stays for reap(). */
static bool has_ended(pid_t pid) {
	siginfo_t info = { 0 };

	return waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) < 0 ||
	       info.si_pid == pid;
}

/*
 * Whether it ends in time. A pidfd may be missing (a filter of a container, no descriptor left): then it is looked at in
 * steps. Where poll() is interrupted by a signal, all begins anew, with the time that is left.
 */
static bool ends_in_time(pid_t pid, unsigned milliseconds) {
	_cleanup_close_ int fd = (int)syscall(SYS_pidfd_open, pid, 0);
	struct pollfd p = { .fd = fd, .events = POLLIN };
	struct timespec end;
	int left;

	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += milliseconds / 1000;
	end.tv_nsec += (long)(milliseconds % 1000) * 1000000;
	while (!has_ended(pid)) {
		left = milliseconds_until(&end);
		if (left == 0)
			return false;
		(void)poll(&p, 1,
			   fd >= 0 || left < STEP_MILLISECONDS ? left : STEP_MILLISECONDS);
	}
	return true;
}

static int reap(pid_t pid) {
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return status;
}

/* The end of what it said, which is where programs say why; on one line. */
static char *read_said(int fd) {
	_cleanup_free_ char *text = calloc(1, OUTPUT_SIZE + 1);
	const char *from;
	size_t n;

	if (!text || pread(fd, text, OUTPUT_SIZE, 0) <= 0)
		return NULL;
	n = strlen(text);
	while (n > 0 && strchr(" \n\r\t", text[n - 1]))
		text[--n] = '\0';
	from = n > SAID_MAX ? text + n - SAID_MAX : text;
	from += strspn(from, " \n\r\t");
	for (char *s = text; *s; s++)
		if (*s == '\n' || *s == '\r' || *s == '\t')
			*s = ' ';
	return *from ? strdup(from) : NULL;
}

static void judge(int status, struct command_result *r) {
	if (r->end == COMMAND_TIMEOUT)
		return;
	if (WIFSIGNALED(status)) {
		r->end = COMMAND_KILLED;
		r->status = WTERMSIG(status);
	} else {
		r->status = WEXITSTATUS(status);
		r->end = r->status == 0 ? COMMAND_DONE : COMMAND_FAILED;
	}
}

int command_run(const char *path, char *const *arguments, int input,
		unsigned milliseconds, struct command_result *ret) {
	_cleanup_close_ int output = make_output(),
			    null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	struct command_result result = { .end = COMMAND_DONE };
	pid_t pid = -1;
	int r;

	if (output < 0)
		return output;
	r = spawn_limited(path, arguments, input >= 0 ? input : null, output, &pid);
	if (r < 0)
		return r;
	if (!ends_in_time(pid, milliseconds)) {
		kill(-pid, SIGKILL);
		result.end = COMMAND_TIMEOUT;
	}
	r = reap(pid);
	if (r < 0)
		return r;
	judge(r, &result);
	result.said = read_said(output);
	*ret = result;
	return 0;
}

char *command_complaint(const struct command_result *r) {
	const char *between = r->said ? ": " : "", *said = r->said ?: "";

	switch (r->end) {
	case COMMAND_FAILED:
		return text_format("exit status %d%s%s", r->status, between, said);
	case COMMAND_KILLED:
		return text_format("ended by signal %d%s%s", r->status, between, said);
	case COMMAND_TIMEOUT:
		return text_format("it took too long, and was ended%s%s", between, said);
	case COMMAND_DONE:
		break;
	}
	return strdup("");
}

void command_result_done(struct command_result *r) {
	free(r->said);
	r->said = NULL;
}

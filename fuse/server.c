/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* fork twice, arrange the fds, exec; then wait for the one byte. */
#include "server.h"

#include <linux/capability.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>

#include "../merge/kernel.h"

#define PATH_SHOWN 4096
#define OPEN_MAX_TRIED 65536

/* --- the program --- */

/* The directory of the running program, with its '/', and the name; false where that is not known. */
static bool path_beside_us(char ret[static PATH_SHOWN]) {
	static const char name[] = "extmerge-fuse";
	ssize_t n = readlink("/proc/self/exe", ret, PATH_SHOWN - sizeof(name));
	char *slash;

	if (n <= 0 || (size_t)n >= PATH_SHOWN - sizeof(name))
		return false;
	ret[n] = '\0';
	slash = strrchr(ret, '/');
	if (!slash)
		return false;
	memcpy(slash + 1, name, sizeof(name));
	return true;
}

int server_open(const char *path) {
	char beside[PATH_SHOWN];
	int fd = -1;

	if (path) {
		fd = open(path, O_PATH | O_CLOEXEC);
		return fd < 0 ? -errno : fd;
	}
	if (path_beside_us(beside))
		fd = open(beside, O_PATH | O_CLOEXEC);
	if (fd < 0)
		fd = open(BINDIR "/extmerge-fuse", O_PATH | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* --- the child: nothing but system calls from here to exec --- */

static void close_between(unsigned first, unsigned last) {
	if (first > last || syscall(SYS_close_range, first, last, 0) == 0)
		return;
	for (unsigned fd = first; fd <= last && fd < OPEN_MAX_TRIED; fd++)
		close((int)fd);
}

/* What the server starts with; and, in memory that is shared with it, its number. */
struct start {
	int program, null;
	char *const *argv;
	int *fds;
	int n;
	pid_t *server;
};

/*
 * The fds at their numbers, /dev/null at 0 to 2, the program where it does not disturb, and no others. First all of
 * them go to where they are in nobody's way.
 */
static int arrange(const struct start *s) {
	const int end = REQUEST_FD_FUSE + s->n;
	int null = fcntl(s->null, F_DUPFD_CLOEXEC, end);
	int moved = fcntl(s->program, F_DUPFD_CLOEXEC, end);

	if (null < 0 || moved < 0)
		return -errno;
	for (int i = 0; i < s->n; i++) {
		int aside = fcntl(s->fds[i] < 0 ? null : s->fds[i], F_DUPFD_CLOEXEC, end);

		if (aside < 0)
			return -errno;
		s->fds[i] = aside;
	}
	for (int fd = 0; fd < end; fd++)
		if (dup2(fd < REQUEST_FD_FUSE ? null : s->fds[fd - REQUEST_FD_FUSE], fd) <
		    0)
			return -errno;
	close_between((unsigned)end, (unsigned)moved - 1);
	close_between((unsigned)moved + 1, UINT32_MAX);
	return moved;
}

/* vfile.10: one byte with the errno, then the sentence. */
static _Noreturn void give_up(int fd, int error, const char *sentence) {
	const char byte = (char)-error;
	struct iovec parts[] = { { (void *)&byte, 1 },
				 { (void *)sentence, strlen(sentence) } };

	_exit(writev(fd, parts, ARRAY_SIZE(parts)) < 0 ? 2 : 1);
}

/* Many layers are many fds, each of them twice for a moment. */
static void raise_limit(void) {
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) < 0)
		return;
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
}

/*
 * Who has capabilities without being root, as in a user namespace, loses them by exec, but for these. The server gives
 * them up as soon as it has left our mounts.
 */
static void keep_capabilities(void) {
	struct __user_cap_header_struct header = { .version =
							   _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct caps[_LINUX_CAPABILITY_U32S_3];

	if (geteuid() == 0 || syscall(SYS_capget, &header, caps) < 0)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(caps); i++)
		caps[i].inheritable = caps[i].permitted;
	if (syscall(SYS_capset, &header, caps) < 0)
		return;
	for (unsigned long c = 0; prctl(PR_CAPBSET_READ, c, 0, 0, 0) >= 0; c++)
		(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, c, 0, 0);
}

static _Noreturn void become_server(const struct start *s) {
	/* One heap for all threads: a server's memory is small. */
	char arenas[] = "MALLOC_ARENA_MAX=1", *const environment[] = { arenas, NULL };
	int report = s->fds[REQUEST_FD_READY - REQUEST_FD_FUSE], moved;

	if (s->n > SERVER_FDS)
		raise_limit();
	moved = arrange(s);
	if (moved < 0)
		give_up(report, moved, "there is no room for the fds of extmerge-fuse");
	keep_capabilities();
	if (chdir("/") == 0)
		syscall(SYS_execveat, moved, "", s->argv, environment, AT_EMPTY_PATH);
	give_up(REQUEST_FD_READY, -errno, "extmerge-fuse cannot be executed");
}

static _Noreturn void become_parent(const struct start *s) {
	pid_t child = setsid() < 0 ? -1 : vfork();

	if (child == 0)
		become_server(s);
	*s->server = child;
	_exit(child < 0);
}

/*
 * The child in between ends at once, so that the server is init's, and no zombie of ours. Its own child borrows its memory
 * until it begins the program; only one of the two may, as AddressSanitizer keeps one return address for vfork().
 */
static int start(const struct start *s) {
	pid_t between = fork();

	if (between < 0)
		return -errno;
	if (between == 0)
		become_parent(s);
	while (waitpid(between, NULL, 0) < 0)
		if (errno != EINTR)
			break; /* whoever ignores SIGCHLD has no children to wait for */
	return 0;
}

/* --- waiting --- */

static int64_t now_ms(void) {
	struct timespec t = { 0 };

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* A lack of memory or fds is the machine's, and the caller wants to know that. */
static int error_of(int reported) {
	return reported == ENOMEM || reported == EMFILE || reported == ENFILE ? -reported
									      : -EPROTO;
}

/* The errno, and a line that may be shown, whatever came through the pipe. */
static int refuse(const char *text, size_t n, char ret_why[static SERVER_WHY_MAX]) {
	size_t i = 1;

	if (n == 0) {
		snprintf(ret_why, SERVER_WHY_MAX, "extmerge-fuse ended without a word");
		return -EPROTO;
	}
	for (; i < n && i < SERVER_WHY_MAX; i++)
		ret_why[i - 1] = text[i] >= ' ' && text[i] < 0x7f ? text[i] : '?';
	ret_why[i - 1] = '\0';
	return error_of((unsigned char)text[0]);
}

/* The server's sentence comes in one piece, as it is shorter than what pipes keep together. */
int server_wait(int fd, unsigned seconds, char ret_why[static SERVER_WHY_MAX]) {
	int64_t end = now_ms() + (int64_t)seconds * 1000;
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char text[SERVER_WHY_MAX];
	int64_t left;
	ssize_t n;

	while ((left = end - now_ms()) > 0) {
		int r = poll(&p, 1, (int)left);

		if (r < 0 && errno != EINTR)
			return -errno;
		if (r <= 0)
			continue;
		n = read(fd, text, sizeof(text));
		if (n < 0)
			return -errno;
		return n > 0 && text[0] == '\0' ? 0 : refuse(text, (size_t)n, ret_why);
	}
	snprintf(ret_why, SERVER_WHY_MAX, "extmerge-fuse was not at work within %u s",
		 seconds);
	return -ETIMEDOUT;
}

void server_wait_end(pid_t server, unsigned seconds) {
	_cleanup_close_ int fd = (int)syscall(SYS_pidfd_open, server, 0);
	int64_t end = now_ms() + (int64_t)seconds * 1000;
	struct pollfd p = { .fd = fd, .events = POLLIN };
	int64_t left;

	while (fd >= 0 && (left = end - now_ms()) > 0)
		if (poll(&p, 1, (int)left) >= 0 || errno != EINTR)
			break;
}

int server_start(int program, char *const *argv, const int fds[static SERVER_FDS],
		 size_t n_more, unsigned seconds, pid_t *ret_server,
		 char ret_why[static SERVER_WHY_MAX]) {
	_cleanup_close_ int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	_cleanup_close_ int ready = -EBADF, report = -EBADF;
	_cleanup_free_ int *given = reallocarray(NULL, SERVER_FDS + n_more,
						 sizeof(*given));
	struct start s = { .program = program,
			   .null = null,
			   .argv = argv,
			   .fds = given,
			   .n = (int)(SERVER_FDS + n_more) };
	int ends[2], r;
	pid_t *server;

	snprintf(ret_why, SERVER_WHY_MAX, "extmerge-fuse cannot be started");
	if (!given)
		return -ENOMEM;
	if (null < 0 || pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	ready = ends[0];
	report = ends[1];
	memcpy(given, fds, (SERVER_FDS + n_more) * sizeof(*given));
	given[REQUEST_FD_READY - REQUEST_FD_FUSE] = report;
	server = mmap(NULL, sizeof(*server), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (server == MAP_FAILED)
		return -errno;
	s.server = server;
	r = start(&s);
	if (ret_server)
		*ret_server = *server;
	munmap(server, sizeof(*server));
	if (r < 0)
		return r;
	close_fdp(&report);
	report = -EBADF;
	return server_wait(ready, seconds, ret_why);
}

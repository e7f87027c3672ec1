/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Runs a command with a verified file as its fd 9:
 *     attach [OPTION...] DATA[@OFFSET:SIZE] TREE[@OFFSET:SIZE] ROOT-HASH COMMAND...
 *     --server=PATH   the program; otherwise the one beside ours
 *     --log=FILE      where the server's lines go; otherwise nowhere
 *     --threads=N, --cache=BYTES, --seconds=N
 *     --after=N       as the last of N + 1 that one server takes; the others are there until the command runs
 *     --kill          with that server killed before the last one
 *     --garbage       and with a word that makes no sense to it afterwards
 *     --workshop      in a private mount namespace, as extmerge does, which is gone when the command runs
 *     --loop          with a loop device of the file instead, that reads it past the page cache as extmerge has it for erofs
 *     --loop=cached   with one that does not, as for squashfs
 *     --mount=FS:DIR  with the file, or the loop device, mounted there, and nothing at fd 9
 *     --plain         with DATA itself instead of the verified file, for comparison
 *     --time          prints first how many microseconds that took
 * Prints "ERRNO-NAME: reason" and exits with 1 where there is none. For tests/root/verified-*.sh and the bench.
 */
#include <signal.h>
#include <string.h>
#include <time.h>

#include "fuse/attach.h"
#include "merge/file.h"
#include "merge/fs.h"
#include "merge/kernel.h"
#include "merge/workshop.h"
#include "verity/hex.h"
#include "verity/loop.h"

#define FILE_FD 9

static int open_area(char *text, uint64_t *ret_offset, uint64_t *ret_size) {
	unsigned long long offset = 0, size = 0;
	char *at = strchr(text, '@');
	struct stat st;
	int fd;

	if (at) {
		*at = '\0';
		if (sscanf(at + 1, "%llu:%llu", &offset, &size) != 2)
			return -1;
	}
	fd = open(text, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return -1;
	*ret_offset = offset;
	*ret_size = at ? size : (uint64_t)st.st_size;
	return fd;
}

struct test {
	struct attach_options o;
	const char *log, *mount; /* TYPE:DIR */
	bool inside, loop, cached, plain, time, kill, garbage;
	unsigned after;
};

/* To the one socket that we have. */
static void talk_nonsense(void) {
	struct stat st;

	for (int fd = 3; fd < 1024; fd++)
		if (fstat(fd, &st) == 0 && S_ISSOCK(st.st_mode) && write(fd, "?", 1) < 0)
			perror("garbage");
}

/* What came before is forgotten, and closed by the command's beginning. */
static int attach_last(const struct verity_target *t, const struct test *test,
		       char why[static ATTACH_WHY_MAX]) {
	_cleanup_(attach_server_freep) struct attach_server *server =
		test->after > 0 ? attach_server_new() : NULL;
	struct attach_options o = test->o;
	pid_t process = 0;
	int last;

	o.shared = server;
	o.ret_server = &process;
	for (unsigned i = 0; i < test->after; i++) {
		int fd = attach_image(t, &o, why);

		if (fd < 0)
			return fd;
	}
	if (test->kill)
		kill(process, SIGKILL);
	last = attach_image(t, &o, why);
	if (test->garbage)
		talk_nonsense();
	return last;
}

static int attach(const struct verity_target *t, const struct test *test) {
	struct workshop w = WORKSHOP_NONE;
	char why[ATTACH_WHY_MAX];
	int r = test->inside ? workshop_enter(&w) : 0, fd;

	if (r < 0)
		return r;
	if (test->plain)
		return t->data_fd;
	fd = attach_last(t, test, why);
	if (fd < 0)
		printf("%s: %s\n", strerrorname_np(-fd), why);
	fflush(stdout);
	workshop_done(&w);
	return fd;
}

static int make_loop(int file, bool is_direct) {
	_cleanup_close_ int nodes = open("/dev", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct stat st;

	return fstat(file, &st) < 0
		       ? -errno
		       : loop_attach(file, 0, (uint64_t)st.st_size, is_direct, nodes);
}

/* As extmerge does it. The mount keeps what it needs. */
static int mount_file(int file, const struct test *t) {
	_cleanup_free_ char *type = strdup(t->mount);
	char *colon = type ? strchr(type, ':') : NULL, path[FILE_FD_PATH_MAX];
	_cleanup_(fs_done) struct fs f = FS_NONE;
	_cleanup_close_ int fd = -EBADF;

	if (!colon)
		return -1;
	*colon = '\0';
	file_fd_path(file, path);
	fs_open(&f, type);
	fs_set(&f, "source", path);
	fs_set_flag(&f, "ro");
	fd = fs_mount(&f, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV);
	if (fd >= 0 &&
	    move_mount(fd, "", AT_FDCWD, colon + 1, MOVE_MOUNT_F_EMPTY_PATH) == 0)
		return 0;
	printf("%s: %s\n", type, f.complaint ?: strerror(fd < 0 ? -fd : errno));
	return -1;
}

/* Makes what was asked for. 0, or -1 when that has been said. */
static int prepare(const struct verity_target *t, const struct test *test) {
	_cleanup_close_ int fd = attach(t, test), loop = -EBADF, aside = -EBADF;

	if (fd >= 0 && test->loop)
		loop = make_loop(fd, !test->plain && !test->cached);
	if (fd < 0 || (test->loop && loop < 0))
		return -1;
	if (test->mount)
		return mount_file(test->loop ? loop : fd, test);
	/* One of them may have that number. */
	aside = fcntl(test->loop ? loop : fd, F_DUPFD_CLOEXEC, FILE_FD + 1);
	close_fdp(&fd);
	close_fdp(&loop);
	fd = loop = -EBADF;
	return aside < 0 || dup2(aside, FILE_FD) < 0 ? -1 : 0;
}

static double now_us(void) {
	struct timespec t = { 0 };

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

/* The value of the option `name` in `argument`, or NULL where that is something else. */
static const char *value_of(const char *argument, const char *name) {
	size_t len = strlen(name);

	return strncmp(argument, name, len) == 0 ? argument + len : NULL;
}

static void read_option(const char *argument, struct test *ret) {
	const char *value;

	if ((value = value_of(argument, "--server=")))
		ret->o.server = value;
	else if ((value = value_of(argument, "--log=")))
		ret->log = value;
	else if ((value = value_of(argument, "--mount=")))
		ret->mount = value;
	else if ((value = value_of(argument, "--threads=")))
		ret->o.threads = (unsigned)atoi(value);
	else if ((value = value_of(argument, "--cache=")))
		ret->o.cache_bytes = (size_t)atol(value);
	else if ((value = value_of(argument, "--seconds=")))
		ret->o.seconds = (unsigned)atoi(value);
	else if ((value = value_of(argument, "--after=")))
		ret->after = (unsigned)atoi(value);
	else if (strcmp(argument, "--kill") == 0)
		ret->kill = true;
	else if (strcmp(argument, "--garbage") == 0)
		ret->garbage = true;
	else if (strcmp(argument, "--workshop") == 0)
		ret->inside = true;
	else if ((value = value_of(argument, "--loop"))) {
		ret->loop = true;
		ret->cached = *value != '\0';
	} else if (strcmp(argument, "--plain") == 0)
		ret->plain = true;
	else if (strcmp(argument, "--time") == 0)
		ret->time = true;
}

int main(int argc, char **argv) {
	struct test test = { .log = "/dev/null" };
	struct verity_target t = { 0 };
	double start;
	int i, log;

	for (i = 1; i < argc && strncmp(argv[i], "--", 2) == 0; i++)
		read_option(argv[i], &test);
	if (argc - i < 4) {
		fprintf(stderr, "usage: attach [OPTION...] DATA TREE HASH COMMAND...\n");
		return 2;
	}
	log = open(test.log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	test.o.log_fd = &log;
	test.o.name = argv[i];
	t.root_size = strlen(argv[i + 2]) / 2;
	if (log < 0 || t.root_size > sizeof(t.root) ||
	    hex_decode(argv[i + 2], strlen(argv[i + 2]), true, t.root) < 0)
		return 2;
	t.data_fd = open_area(argv[i], &t.data_offset, &t.data_size);
	t.hash_fd = open_area(argv[i + 1], &t.hash_offset, &t.hash_size);
	if (t.data_fd < 0 || t.hash_fd < 0)
		return 2;
	start = now_us();
	if (prepare(&t, &test) < 0)
		return 1;
	if (test.time)
		printf("%.0f\n", now_us() - start);
	fflush(stdout);
	execvp(argv[i + 3], argv + i + 3);
	return 2;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Writers in a directory that is replaced by another tree again and again:
 *     writers N DIRECTORY FILES [hold]
 * runs N processes until SIGTERM. Each appends to a file of its own, makes files and renames them, and appends to one of
 * DIRECTORY/f00000 ... that they all have. With "hold" the last one keeps its own file open, and opens it again after 256 lines. What fails with EROFS (or
 * EXDEV: a rename whose paths were looked up in two trees) is tried again, and is acknowledged when it has succeeded.
 * Then everything that was acknowledged is looked for, exactly once. Prints "OPERATIONS AGAIN LONGEST LOST": how
 * often something was tried again, the longest time in microseconds from a first failure to success, and how much is
 * not as acknowledged. For tests/root/writers.sh.
 */
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "merge/base.h"

#define WRITERS_MAX 64
#define SHARED_MAX 500000

/* What all processes see. */
struct shared {
	atomic_bool end;
	atomic_ulong turn, again, longest, failed;
	unsigned long done[WRITERS_MAX];
	unsigned short chosen[WRITERS_MAX][SHARED_MAX]; /* which of the files had number n */
};

struct writer {
	struct shared *shared;
	unsigned number, files;
	bool holds; /* its own file, and opens it again now and then */
	int held;   /* the file, or -EBADF */
};

static unsigned long now(void) {
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (unsigned long)t.tv_sec * 1000000 + (unsigned long)t.tv_nsec / 1000;
}

static const char *directory;

/* Always by the whole path, as from a directory that is open one would be in a tree that is gone. */
static void make_path(char path[static PATH_MAX], const char *format, ...) _printf_(2, 3);
static void make_path(char path[static PATH_MAX], const char *format, ...) {
	size_t len = (size_t)snprintf(path, PATH_MAX, "%s/", directory);
	va_list ap;

	va_start(ap, format);
	vsnprintf(path + len, PATH_MAX - len, format, ap);
	va_end(ap);
}

static int put(int fd, const char *text) {
	ssize_t n = write(fd, text, strlen(text));

	return n < 0 ? -errno : (size_t)n == strlen(text) ? 0 : -EIO;
}

static int append(const char *path, const char *text, int flags) {
	int fd = open(path, O_WRONLY | O_CLOEXEC | flags, 0644), r;

	if (fd < 0)
		return -errno;
	r = put(fd, text);
	close(fd);
	return r;
}

/* One step of an operation, again and again while the tree is read-only. */
static void insist(struct writer *w, int (*step)(struct writer *w, unsigned long n),
		   unsigned long n) {
	unsigned long start = 0, took, longest;
	int r;

	while ((r = step(w, n)) == -EROFS || r == -EXDEV) {
		atomic_fetch_add(&w->shared->again, 1);
		start = start ?: now();
		usleep(20);
	}
	if (r < 0) {
		fprintf(stderr, "writer %u, %lu: %s\n", w->number, n, strerror(-r));
		atomic_fetch_add(&w->shared->failed, 1);
	}
	took = start ? now() - start : 0;
	longest = atomic_load(&w->shared->longest);
	while (took > longest &&
	       !atomic_compare_exchange_weak(&w->shared->longest, &longest, took))
		;
}

static int append_own(struct writer *w, unsigned long n) {
	char path[PATH_MAX], line[32];

	make_path(path, "own-%u", w->number);
	snprintf(line, sizeof(line), "%lu\n", n);
	return w->held >= 0 ? put(w->held, line) : append(path, line, O_APPEND | O_CREAT);
}

/* Its own file, by the tree that is there by now. */
static int hold_own(struct writer *w, unsigned long n) {
	char path[PATH_MAX];
	int fd;

	(void)n;
	make_path(path, "own-%u", w->number);
	fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
	if (fd < 0)
		return -errno;
	if (w->held >= 0)
		close(w->held);
	w->held = fd;
	return 0;
}

static int append_shared(struct writer *w, unsigned long n) {
	char path[PATH_MAX], line[32];

	make_path(path, "f%05u", w->shared->chosen[w->number][n]);
	snprintf(line, sizeof(line), "%u-%lu\n", w->number, n);
	return append(path, line, O_APPEND);
}

static int make_new(struct writer *w, unsigned long n) {
	char path[PATH_MAX], line[32];

	make_path(path, "new-%u", w->number);
	snprintf(line, sizeof(line), "%lu\n", n);
	return append(path, line, O_CREAT | O_TRUNC);
}

static int rename_new(struct writer *w, unsigned long n) {
	char from[PATH_MAX], to[PATH_MAX];

	make_path(from, "new-%u", w->number);
	make_path(to, "done-%u-%lu", w->number, n % 50);
	return rename(from, to) < 0 ? -errno : 0;
}

static void write_all(struct writer *w) {
	for (unsigned long n = 0; n < SHARED_MAX && !atomic_load(&w->shared->end); n++) {
		static int (*const steps[])(struct writer *,
					    unsigned long) = { append_own, append_shared,
							       make_new, rename_new };

		/* The next file for all of them, while it is still one of a layer. */
		w->shared->chosen[w->number][n] =
			(unsigned short)(atomic_fetch_add(&w->shared->turn, 1) / 16 %
					 w->files);
		if (w->holds && n % 256 == 0)
			insist(w, hold_own, n);
		for (size_t i = 0; i < ARRAY_SIZE(steps); i++)
			insist(w, steps[i], n);
		w->shared->done[w->number] = n + 1;
		usleep(500); /* or they would come to their end before the refreshes do */
	}
}

static char *read_all(const char *path) {
	FILE *f = fopen(path, "re");
	char *text = NULL;
	size_t room = 0;
	ssize_t n = f ? getdelim(&text, &room, '\0', f) : -1;

	if (f)
		fclose(f);
	if (n < 0) {
		free(text);
		return strdup("");
	}
	return text;
}

static unsigned long count_lost_own(unsigned number, unsigned long done) {
	char path[PATH_MAX];
	_cleanup_free_ char *text = NULL;
	unsigned long n = 0;

	make_path(path, "own-%u", number);
	text = read_all(path);
	for (char *rest = text, *line; (line = strsep(&rest, "\n")) && *line; n++)
		if (strtoul(line, NULL, 10) != n)
			break;
	return n > done ? n - done : done - n;
}

/* Each line of the file is counted for its writer and number. */
static void count_shared(unsigned file, unsigned char (*seen)[SHARED_MAX]) {
	char path[PATH_MAX];
	_cleanup_free_ char *text = NULL;

	make_path(path, "f%05u", file);
	text = read_all(path);
	for (char *rest = text, *line; (line = strsep(&rest, "\n"));) {
		unsigned number;
		unsigned long n;

		if (sscanf(line, "%u-%lu", &number, &n) == 2 && number < WRITERS_MAX &&
		    n < SHARED_MAX)
			seen[number][n]++;
	}
}

static unsigned long count_lost_renamed(unsigned number, unsigned long done) {
	unsigned long lost = 0;

	for (unsigned long n = done > 50 ? done - 50 : 0; n < done; n++) {
		char path[PATH_MAX];
		_cleanup_free_ char *text = NULL;

		make_path(path, "done-%u-%lu", number, n % 50);
		text = read_all(path);
		lost += strtoul(text, NULL, 10) != n || !*text;
	}
	return lost;
}

static unsigned long count_lost(const struct shared *s, unsigned n, unsigned files) {
	unsigned char(*seen)[SHARED_MAX] = calloc(WRITERS_MAX, SHARED_MAX);
	unsigned long lost = 0;

	for (unsigned i = 0; i < files; i++)
		count_shared(i, seen);
	for (unsigned i = 0; i < n; i++) {
		lost += count_lost_own(i, s->done[i]) + count_lost_renamed(i, s->done[i]);
		for (unsigned long k = 0; k < SHARED_MAX; k++)
			lost += seen[i][k] != (k < s->done[i]);
	}
	free(seen);
	return lost;
}

static struct shared *shared;

static void stop(int signal) {
	(void)signal;
	atomic_store(&shared->end, true);
}

static void start(struct writer w) {
	pid_t parent = getpid();

	if (fork() != 0)
		return;
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
		_exit(1);
	signal(SIGTERM, SIG_IGN);
	write_all(&w);
	_exit(0);
}

int main(int argc, char **argv) {
	unsigned n = argc > 3 ? (unsigned)atoi(argv[1]) : 0;
	unsigned files = n ? (unsigned)atoi(argv[3]) : 0;
	unsigned long sum = 0;

	if (n < 1 || n > WRITERS_MAX || files < 1 || files > UINT16_MAX) {
		fprintf(stderr, "usage: writers N DIRECTORY FILES [hold]\n");
		return 2;
	}
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		return 1;
	directory = argv[2];
	signal(SIGTERM, stop);
	for (unsigned i = 0; i < n; i++)
		start((struct writer){ shared, i, files, argc > 4 && i == n - 1, -EBADF });
	while (wait(NULL) > 0 || errno == EINTR)
		;
	for (unsigned i = 0; i < n; i++)
		sum += shared->done[i] * 4;
	printf("%lu %lu %lu %lu\n", sum, atomic_load(&shared->again),
	       atomic_load(&shared->longest),
	       count_lost(shared, n, files) + atomic_load(&shared->failed));
	return 0;
}

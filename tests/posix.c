/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What POSIX and Linux' manual pages promise of a file system, on files of an upper layer, of a lower one, and of both:
 *     posix make LOWER UPPER
 * makes what the cases need in two layers, and
 *     posix run DIR
 * runs all of them where these are merged, and prints a line for each assertion: "ok" or "not ok", ORIGIN/CASE, its
 * number in the case, and what is asserted. For tests/root/union-posix.sh, which does so on overlayfs, too.
 */
#include "posix.h"

#include <grp.h>
#include <sys/wait.h>

const char *const posix_origin_names[POSIX_ORIGINS] = { "upper", "lower", "both" };

static const struct posix_case *const groups[] = {
	posix_opening, posix_names,  posix_renaming, posix_directories,
	posix_times,   posix_xattrs, posix_data,     posix_attributes,
	posix_space,   posix_locks,  posix_rights,   posix_paths,
};

static const char *at; /* ORIGIN/CASE */
static unsigned number;

void posix_say(bool is_so, const char *what) {
	int error = errno;

	printf("%sok %s %u: %s\n", is_so ? "" : "not ", at, ++number, what);
	if (!is_so)
		printf("# errno may be: %s\n", strerror(error));
	fflush(stdout);
}

/* --- looking --- */

struct stat status(const char *path) {
	struct stat st;

	return lstat(path, &st) < 0 ? (struct stat){ .st_mode = 0 } : st;
}

bool fd_holds(int fd, const char *text) {
	char got[256];
	ssize_t n = pread(fd, got, sizeof(got), 0);

	return n == (ssize_t)strlen(text) && memcmp(got, text, (size_t)n) == 0;
}

bool holds(const char *path, const char *text) {
	_cleanup_close_ int fd = opened(path, O_RDONLY);

	return fd >= 0 && fd_holds(fd, text);
}

int opened(const char *path, int flags) {
	return open(path, flags | O_CLOEXEC, 0644);
}

int put(const char *path, const char *text) {
	_cleanup_close_ int fd = opened(path, O_WRONLY | O_CREAT | O_TRUNC);

	return fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text) ? -1 : 0;
}

static bool same_time(struct timespec a, struct timespec b) {
	return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

/* The clock of files moves some hundred times a second. */
void tick(void) {
	struct timespec begin, now;

	clock_gettime(CLOCK_REALTIME_COARSE, &begin);
	do {
		usleep(1000);
		clock_gettime(CLOCK_REALTIME_COARSE, &now);
	} while (same_time(begin, now));
}

const char *changed(const struct stat *before, const char *path) {
	const struct stat now = status(path);
	const bool m = !same_time(before->st_mtim, now.st_mtim),
		   c = !same_time(before->st_ctim, now.st_ctim);

	return m ? (c ? "mc" : "m") : (c ? "c" : "");
}

/* --- being somebody else --- */

void as_root(void) {
	if (seteuid(0) < 0 || setegid(0) < 0 || setgroups(0, NULL) < 0)
		abort();
}

void as(uid_t uid, gid_t gid) {
	as_root();
	if (setgroups(1, &gid) < 0 || setegid(gid) < 0 || seteuid(uid) < 0)
		abort();
}

/* --- running --- */

static int step_into(int directory, const char *name) {
	int fd;

	if (mkdirat(directory, name, 0777) < 0 && errno != EEXIST)
		return -1;
	fd = openat(directory, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0 && fchmod(fd, 0777) < 0)
		return -1;
	return fd;
}

static int make_case(int layer, enum posix_origin origin, const char *name,
		     bool is_upper) {
	_cleanup_close_ int top = step_into(layer, posix_origin_names[origin]),
			    directory = top < 0 ? -1 : step_into(top, name);

	return directory < 0 ? -1 : posix_make(directory, origin, is_upper);
}

static int make_layer(const char *path, bool is_upper) {
	_cleanup_close_ int layer = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r = layer < 0 ? -1 : 0;

	for (size_t g = 0; r == 0 && g < ARRAY_SIZE(groups); g++)
		for (const struct posix_case *c = groups[g]; r == 0 && c->name; c++) {
			r = make_case(layer, POSIX_BOTH, c->name, is_upper);
			if (r == 0)
				r = make_case(layer, is_upper ? POSIX_UPPER : POSIX_LOWER,
					      c->name, is_upper);
		}
	if (r < 0)
		perror(path);
	return r;
}

/* A case that hangs is ended, and has failed. */
static void run_case(int root, const struct posix_case *c, enum posix_origin origin) {
	char name[100];
	int state = -1;
	pid_t child;

	snprintf(name, sizeof(name), "%s/%s", posix_origin_names[origin], c->name);
	at = name;
	number = 0;
	child = fork();
	if (child == 0) {
		alarm(60);
		if (fchdir(root) < 0 || chdir(name) < 0) {
			posix_say(false, "the directory can be entered");
			_exit(1);
		}
		umask(022);
		c->run();
		_exit(0);
	}
	if (child < 0 || waitpid(child, &state, 0) < 0 || state != 0)
		printf("not ok %s: came to its end (%d)\n", at, state);
	fflush(stdout);
}

static int run(const char *path) {
	_cleanup_close_ int root = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (root < 0) {
		perror(path);
		return -1;
	}
	for (size_t g = 0; g < ARRAY_SIZE(groups); g++)
		for (const struct posix_case *c = groups[g]; c->name; c++)
			for (unsigned origin = 0; origin < POSIX_ORIGINS; origin++)
				run_case(root, c, origin);
	return 0;
}

int main(int argc, char **argv) {
	if (argc == 4 && strcmp(argv[1], "make") == 0)
		return make_layer(argv[2], false) < 0 || make_layer(argv[3], true) < 0;
	if (argc == 3 && strcmp(argv[1], "run") == 0)
		return run(argv[2]) < 0;
	fprintf(stderr, "usage: posix make LOWER UPPER | posix run DIR\n");
	return 2;
}

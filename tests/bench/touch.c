/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Does one thing to a tree very often, and prints how many milliseconds it took. For tests/bench/union.sh.
 *     touch walk DIR             stat of every entry, by a walk
 *     touch stat DIR < LIST      stat of each path of the list
 *     touch small DIR < LIST     open, read and close of each
 *     touch read FILE            read from beginning to end
 *     touch random FILE          65536 preads of 4 KiB
 *     touch map FILE             a byte of each page of a mapping
 *     touch miss DIR             100000 names that are not there
 *     touch list DIR TIMES       the names of one directory
 *     touch start FILE COMMAND...  the command, which mounts, until the file can be looked at
 */
#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "merge/base.h"

static char **paths;
static size_t n_paths;

static void read_paths(void) {
	char *line = NULL;
	size_t room = 0;
	ssize_t n;

	while ((n = getline(&line, &room, stdin)) > 0) {
		line[n - 1] = '\0';
		paths = reallocarray(paths, n_paths + 1, sizeof(*paths));
		paths[n_paths++] = strdup(line);
	}
	free(line);
}

static void walk(int fd) {
	DIR *d = fdopendir(fd);
	struct dirent *e;

	while ((e = readdir(d))) {
		struct stat st;

		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0 ||
		    fstatat(fd, e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		if (S_ISDIR(st.st_mode))
			walk(openat(fd, e->d_name, O_RDONLY | O_DIRECTORY));
	}
	closedir(d);
}

static void each_stat(int dir) {
	for (size_t i = 0; i < n_paths; i++) {
		struct stat st;

		if (fstatat(dir, paths[i], &st, AT_SYMLINK_NOFOLLOW) < 0)
			exit(1);
	}
}

static void each_small(int dir) {
	for (size_t i = 0; i < n_paths; i++) {
		int fd = openat(dir, paths[i], O_RDONLY);
		char bytes[8192];

		if (fd < 0 || read(fd, bytes, sizeof(bytes)) < 0)
			exit(1);
		close(fd);
	}
}

static void read_all(int fd) {
	char *bytes = malloc(1 << 20);

	while (read(fd, bytes, 1 << 20) > 0)
		;
	free(bytes);
}

static void read_random(int fd) {
	off_t pages = lseek(fd, 0, SEEK_END) / 4096;
	char bytes[4096];

	for (unsigned i = 0; i < 65536; i++)
		if (pread(fd, bytes, sizeof(bytes), (off_t)(i * 40503u) % pages * 4096) <
		    0)
			exit(1);
}

static void map(int fd) {
	size_t size = (size_t)lseek(fd, 0, SEEK_END);
	volatile const char *p = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);

	for (size_t i = 0; i < size; i += 4096)
		(void)p[i];
}

static void miss(int dir) {
	for (unsigned i = 0; i < 100000; i++) {
		char name[32];

		snprintf(name, sizeof(name), "none-%u", i);
		if (faccessat(dir, name, F_OK, 0) == 0)
			exit(1);
	}
}

static void list(int dir, int times) {
	for (int i = 0; i < times; i++) {
		DIR *d = fdopendir(openat(dir, ".", O_RDONLY | O_DIRECTORY));

		while (readdir(d))
			;
		closedir(d);
	}
}

static void start(const char *file, char **command) {
	pid_t child = fork();
	struct stat st;
	int status;

	if (child == 0) {
		execv(command[0], command);
		_exit(127);
	}
	if (child < 0 || waitpid(child, &status, 0) < 0 || status != 0 ||
	    stat(file, &st) < 0)
		exit(1);
}

int main(int argc, char **argv) {
	static const struct {
		const char *name;
		void (*run)(int fd);
	} works[] = {
		{ "walk", walk },     { "stat", each_stat },	 { "small", each_small },
		{ "read", read_all }, { "random", read_random }, { "map", map },
		{ "miss", miss },
	};
	struct timespec a, b;
	int fd;

	if (argc < 3)
		return 2;
	if (strcmp(argv[1], "stat") == 0 || strcmp(argv[1], "small") == 0)
		read_paths();
	clock_gettime(CLOCK_MONOTONIC, &a);
	fd = strcmp(argv[1], "start") == 0 ? -1 : open(argv[2], O_RDONLY);
	if (fd < 0 && strcmp(argv[1], "start") != 0)
		return 1;
	for (size_t i = 0; i < ARRAY_SIZE(works); i++)
		if (strcmp(argv[1], works[i].name) == 0)
			works[i].run(fd);
	if (strcmp(argv[1], "list") == 0 && argc == 4)
		list(fd, atoi(argv[3]));
	if (strcmp(argv[1], "start") == 0 && argc > 3)
		start(argv[2], argv + 3);
	clock_gettime(CLOCK_MONOTONIC, &b);
	printf("%.3f\n", (double)(b.tv_sec - a.tv_sec) * 1e3 +
				 (double)(b.tv_nsec - a.tv_nsec) / 1e6);
	return 0;
}

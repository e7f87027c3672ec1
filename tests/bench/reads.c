/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reads a file again and again, and prints the microseconds of the first time, and the median of five more:
 *     reads sequential|random|mapped FILE [EVICT...]
 * sequential: all of it, 128 KiB at a time; random: 5,000 pages anywhere, the same ones every time; mapped: all pages
 * by mmap. The files EVICT are dropped from the page cache before.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "merge/base.h"

#define STEP ((size_t)128 * 1024)
#define PAGE 4096
#define RANDOM_READS 5000
#define WARM_TIMES 5

static char buffer[STEP];

static int read_all(int fd, off_t size) {
	for (off_t at = 0; at < size; at += (off_t)STEP)
		if (pread(fd, buffer, STEP, at) < 0)
			return -1;
	return 0;
}

static int read_anywhere(int fd, off_t size) {
	uint64_t state = 12345;

	for (unsigned i = 0; i < RANDOM_READS; i++) {
		state = state * 6364136223846793005U + 1442695040888963407U;
		if (pread(fd, buffer, PAGE,
			  (off_t)((state >> 20) % (uint64_t)(size / PAGE)) * PAGE) < 0)
			return -1;
	}
	return 0;
}

static int read_mapped(int fd, off_t size) {
	const char *p = mmap(NULL, (size_t)size, PROT_READ, MAP_SHARED, fd, 0);
	unsigned sum = 0;

	if (p == MAP_FAILED)
		return -1;
	for (off_t at = 0; at < size; at += PAGE)
		sum += (unsigned char)p[at];
	buffer[0] = (char)sum;
	return munmap((void *)p, (size_t)size);
}

static const struct {
	const char *name;
	int (*read)(int fd, off_t size);
} ways[] = {
	{ "sequential", read_all },
	{ "random", read_anywhere },
	{ "mapped", read_mapped },
};

/* Microseconds, or -1. */
static double measure(int (*way)(int fd, off_t size), int fd, off_t size) {
	struct timespec a, b;

	clock_gettime(CLOCK_MONOTONIC, &a);
	if (way(fd, size) < 0)
		return -1;
	clock_gettime(CLOCK_MONOTONIC, &b);
	return (double)(b.tv_sec - a.tv_sec) * 1e6 + (double)(b.tv_nsec - a.tv_nsec) / 1e3;
}

static int compare(const void *a, const void *b) {
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static int measure_all(int (*way)(int fd, off_t size), int fd, off_t size) {
	double first = measure(way, fd, size), warm[WARM_TIMES];

	for (size_t i = 0; i < WARM_TIMES; i++)
		warm[i] = measure(way, fd, size);
	qsort(warm, WARM_TIMES, sizeof(*warm), compare);
	if (first < 0 || warm[0] < 0)
		return 1;
	printf("%.0f\n%.0f\n", first, warm[WARM_TIMES / 2]);
	return 0;
}

static int evict(const char *path) {
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);

	return fd < 0 ? -1 : -posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
}

int main(int argc, char **argv) {
	int fd = argc > 2 ? open(argv[2], O_RDONLY | O_CLOEXEC) : -1;
	off_t size = fd < 0 ? 0 : lseek(fd, 0, SEEK_END);

	if (size < PAGE)
		return 2;
	for (int i = 3; i < argc; i++)
		if (evict(argv[i]) < 0)
			return 2;
	for (size_t i = 0; i < ARRAY_SIZE(ways); i++)
		if (strcmp(argv[1], ways[i].name) == 0)
			return measure_all(ways[i].read, fd, size);
	return 2;
}

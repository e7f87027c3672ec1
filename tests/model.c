/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reads and changes one file at random, in all ways there are, and knows what must be in it:
 *     model SEED SECONDS FILE LEFT
 * does so for that long, beginning with what FILE has, and leaves what it should have in LEFT. Says the number of what it did, or where the
 * file is not what it should be. For tests/root/union-stress.sh.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>

#include "merge/base.h"

#define SIZE_MOST ((size_t)300000)
#define PIECE_MOST ((size_t)70000)
#define MAPPED 303104 /* SIZE_MOST in pages */

static uint64_t state;
static unsigned long step;

static const char *path;
static char other_path[4096]; /* a second name, which it may have */
static char other_file[4096]; /* what is copied from and to */
static char is[SIZE_MOST];    /* what must be there */
static size_t size;
static int fd,
	reader; /* for both; only for reading, opened before anything was changed */

/* xorshift64*: the same everywhere. */
static size_t chance(size_t n) {
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return (size_t)((state * UINT64_C(2685821657736338717)) >> 33) % n;
}

static _Noreturn void wrong(const char *what, size_t at) {
	printf("%s: step %lu, %s at %zu of %zu: %s\n", path, step, what, at, size,
	       strerror(errno));
	exit(1);
}

static void must(bool works, const char *what) {
	if (!works)
		wrong(what, 0);
}

/* --- comparing --- */

static void compare(const char *got, size_t at, size_t n, const char *what) {
	for (size_t i = 0; i < n; i++)
		if (got[i] != is[at + i])
			wrong(what, at + i);
}

static void read_piece(int from, const char *what) {
	static char got[PIECE_MOST];
	size_t at = chance(SIZE_MOST), wanted = chance(PIECE_MOST),
	       left = at < size ? size - at : 0;
	ssize_t n = pread(from, got, wanted, (off_t)at);

	must(n == (ssize_t)(wanted < left ? wanted : left), what);
	compare(got, at, (size_t)n, what);
}

static void read_all(void) {
	static char got[SIZE_MOST + 1];
	_cleanup_close_ int again = open(path, O_RDONLY | O_CLOEXEC);

	must(pread(again, got, sizeof(got), 0) == (ssize_t)size, "size");
	compare(got, 0, size, "all");
}

static void look_for_holes(void) {
	off_t at = (off_t)chance(SIZE_MOST), data = lseek(fd, at, SEEK_DATA);
	off_t end = data < 0 ? (off_t)size : data;

	must(data >= at || errno == ENXIO, "seeking data");
	for (off_t i = at; i < end && (size_t)i < size; i++)
		if (is[i] != 0)
			wrong("data in a hole", (size_t)i);
}

static void look_at(void) {
	struct stat st;

	must(fstat(fd, &st) == 0 && (size_t)st.st_size == size, "fstat");
	must(stat(path, &st) == 0 && (size_t)st.st_size == size, "stat");
}

static void read_mapped(void) {
	const char *p = mmap(NULL, MAPPED, PROT_READ, MAP_SHARED, reader, 0);
	size_t at = chance(size + 1), n = chance(PIECE_MOST);

	must(p != MAP_FAILED, "mapping");
	compare(p + at, at, n < size - at ? n : size - at, "mapped");
	munmap((void *)p, MAPPED);
}

/* --- changing --- */

/* The file grows to `end`, with zeros. */
static void grow(size_t end) {
	if (end > size) {
		memset(is + size, 0, end - size);
		size = end;
	}
}

static void scribble(char *p, size_t n) {
	const char first = (char)chance(256);

	for (size_t i = 0; i < n; i++)
		p[i] = (char)(first + (char)i);
}

static void write_piece(void) {
	size_t at = chance(SIZE_MOST), n = chance(PIECE_MOST);

	n = n < SIZE_MOST - at ? n : SIZE_MOST - at;
	if (n == 0)
		return;
	grow(at);
	grow(at + n);
	scribble(is + at, n);
	must(pwrite(fd, is + at, n, (off_t)at) == (ssize_t)n, "writing");
}

static void append(void) {
	_cleanup_close_ int end = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
	size_t at = size, n = chance(5000);

	n = n < SIZE_MOST - at ? n : SIZE_MOST - at;
	grow(at + n);
	scribble(is + at, n);
	must(write(end, is + at, n) == (ssize_t)n, "appending");
}

static void write_mapped(void) {
	char *p = mmap(NULL, MAPPED, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	size_t at = chance(size + 1), n = chance(PIECE_MOST);

	must(p != MAP_FAILED, "mapping");
	n = n < size - at ? n : size - at;
	scribble(is + at, n);
	memcpy(p + at, is + at, n);
	if (chance(2))
		must(msync(p, MAPPED, MS_SYNC) == 0, "msync");
	munmap(p, MAPPED);
}

static void cut(void) {
	size_t end = chance(3) ? chance(SIZE_MOST) : size - chance(size + 1);

	must((chance(2) ? ftruncate(fd, (off_t)end) : truncate(path, (off_t)end)) == 0,
	     "truncating");
	grow(end);
	size = end;
}

static void empty(void) {
	_cleanup_close_ int again = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);

	must(again >= 0, "emptying");
	size = 0;
}

static void allocate(void) {
	static const int modes[] = { 0, FALLOC_FL_KEEP_SIZE,
				     FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
				     FALLOC_FL_ZERO_RANGE,
				     FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE };
	int mode = modes[chance(ARRAY_SIZE(modes))];
	size_t at = chance(SIZE_MOST), n = 1 + chance(PIECE_MOST);

	n = n < SIZE_MOST - at ? n : SIZE_MOST - at;
	if (fallocate(fd, mode, (off_t)at, (off_t)n) < 0) {
		must(errno == EOPNOTSUPP, "allocating");
		return;
	}
	if (!(mode & FALLOC_FL_KEEP_SIZE))
		grow(at + n);
	if (mode & (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE) && at < size)
		memset(is + at, 0, at + n < size ? n : size - at);
}

/* Within the file, where the two pieces do not meet. */
static void copy_inside(void) {
	size_t n = chance(PIECE_MOST), from = chance(SIZE_MOST), to = chance(SIZE_MOST);
	off_t in = (off_t)from, out = (off_t)to;
	ssize_t done;

	if (from + n > size || to + n > SIZE_MOST || n == 0 ||
	    (from < to + n && to < from + n))
		return;
	done = copy_file_range(fd, &in, fd, &out, n, 0);
	must(done > 0, "copying");
	grow(to);
	grow(to + (size_t)done);
	memcpy(is + to, is + from, (size_t)done);
}

/* To another file and back, to another place. */
static void copy_around(void) {
	_cleanup_close_ int between = open(other_file,
					   O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	size_t n = chance(PIECE_MOST), from = chance(SIZE_MOST), to = chance(SIZE_MOST);
	off_t in = (off_t)from, out = (off_t)to;
	ssize_t there, back;

	if (from + n > size || to + n > SIZE_MOST || n == 0)
		return;
	there = copy_file_range(fd, &in, between, NULL, n, 0);
	must(there > 0, "copying to another file");
	back = copy_file_range(between, &(off_t){ 0 }, fd, &out, (size_t)there, 0);
	must(back > 0, "copying from another file");
	grow(to);
	grow(to + (size_t)back);
	memmove(is + to, is + from, (size_t)back);
}

/* --- the file --- */

static void open_again(void) {
	must(close(fd) == 0, "closing");
	fd = open(path, O_RDWR | O_CLOEXEC);
	must(fd >= 0, "opening");
	if (chance(4) == 0) {
		close(reader);
		reader = open(path, O_RDONLY | O_CLOEXEC);
	}
}

static void move(void) {
	must(rename(path, other_path) == 0 && rename(other_path, path) == 0, "renaming");
}

static void link_other(void) {
	must(link(path, other_path) == 0 && unlink(path) == 0 &&
		     rename(other_path, path) == 0,
	     "linking");
}

static void touch(void) {
	must(chmod(path, 0600 + (mode_t)chance(64)) == 0, "chmod");
	must(fsync(fd) == 0, "fsync");
	posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
}

static void act(void) {
	static void (*const rare[])(void) = { empty,	  open_again, move,
					      link_other, touch,      read_all };
	static void (*const some[])(void) = {
		write_piece, write_piece, append,	  write_mapped,
		cut,	     allocate,	  copy_inside,	  copy_around,
		read_mapped, look_at,	  look_for_holes,
	};

	if (chance(20) == 0)
		rare[chance(ARRAY_SIZE(rare))]();
	else if (chance(4) == 0)
		read_piece(chance(2) ? fd : reader, "reading");
	else
		some[chance(ARRAY_SIZE(some))]();
}

static int leave(const char *left) {
	_cleanup_close_ int out = open(left, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
				       0600);

	return out < 0 || write(out, is, size) != (ssize_t)size;
}

int main(int argc, char **argv) {
	time_t end;
	ssize_t n;

	if (argc != 5) {
		fprintf(stderr, "usage: model SEED SECONDS FILE LEFT\n");
		return 2;
	}
	state = strtoull(argv[1], NULL, 10) * 2 + 1;
	end = time(NULL) + atol(argv[2]);
	path = argv[3];
	snprintf(other_path, sizeof(other_path), "%s.moved", path);
	snprintf(other_file, sizeof(other_file), "%s.between", path);
	reader = open(path, O_RDONLY | O_CLOEXEC);
	n = pread(reader, is, sizeof(is), 0);
	fd = open(path, O_RDWR | O_CLOEXEC);
	must(n >= 0 && fd >= 0, "opening");
	size = (size_t)n;
	for (; step < 1000 || time(NULL) < end; step++)
		act();
	read_all();
	printf("%s: %lu steps\n", path, step);
	return unlink(other_file) < 0 && errno != ENOENT ? 1 : leave(argv[4]);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Readers that do what nobody should:
 *     hostile FILE GOOD PROCESSES ROUNDS [dying]
 * Each process reads FILE in every way there is, at any offset and length, is interrupted all the time, and tries
 * to change it. Whatever FILE gives out must be what GOOD has there. Exit status 1, with a line, where it is not, or
 * where a change was not refused. An error is one, too, unless FILE is dying: then a process ends with the first.
 * Says "begun" when all of them are there. For tests/root/verified-stress.sh.
 */
#include <fcntl.h>
#include <linux/fs.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <sys/xattr.h>

#include "merge/base.h"

#define LENGTH_MAX ((size_t)600 * 1024)

struct reader {
	int file, direct;
	bool dying;
	const char *good;
	off_t size;
	uint64_t state;
	char *buffer;	/* of LENGTH_MAX, aligned to pages */
	int channel[2]; /* a pipe */
};

static uint64_t anything(struct reader *r, uint64_t below) {
	r->state = r->state * 6364136223846793005U + 1442695040888963407U;
	return (r->state >> 24) % below;
}

static void give_up(const char *what, off_t at) {
	printf("hostile: %s at %lld: %s\n", what, (long long)at, strerror(errno));
	fflush(stdout);
	_exit(1);
}

static void fail(const struct reader *r, const char *what, off_t at) {
	if (r->dying)
		_exit(0);
	give_up(what, at);
}

/* An interrupted or short read is fine; other bytes are not, and neither is an error. */
static void expect(const struct reader *r, const char *what, const void *got, ssize_t n,
		   off_t at) {
	if (n < 0 && errno != EINTR)
		fail(r, what, at);
	if (n > 0 && (at + n > r->size || memcmp(got, r->good + at, (size_t)n) != 0))
		give_up(what, at);
}

static void read_plain(struct reader *r, off_t at, size_t len) {
	expect(r, "pread", r->buffer, pread(r->file, r->buffer, len, at), at);
}

static void read_direct(struct reader *r, off_t at, size_t len) {
	at &= ~(off_t)4095;
	expect(r, "O_DIRECT", r->buffer,
	       pread(r->direct, r->buffer, len & ~(size_t)4095, at), at);
}

static void read_vector(struct reader *r, off_t at, size_t len) {
	struct iovec parts[64];
	size_t step = len / ARRAY_SIZE(parts);

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		parts[i] = (struct iovec){ r->buffer + i * step, step };
	expect(r, "preadv", r->buffer, preadv(r->file, parts, ARRAY_SIZE(parts), at), at);
}

static void read_mapped(struct reader *r, off_t at, size_t len) {
	size_t lead = (size_t)at & 4095;
	char *p;

	if (at + (off_t)len > r->size || len == 0)
		return;
	p = mmap(NULL, lead + len, PROT_READ, MAP_SHARED, r->file, at - (off_t)lead);
	if (p == MAP_FAILED)
		give_up("mmap", at);
	madvise(p, lead + len, anything(r, 2) ? MADV_RANDOM : MADV_WILLNEED);
	expect(r, "mmap", p + lead, (ssize_t)len, at);
	munmap(p, lead + len);
}

/* Through a pipe that is smaller than what is asked for. */
static void read_spliced(struct reader *r, off_t at, size_t len) {
	loff_t from = at;
	ssize_t n = splice(r->file, &from, r->channel[1], NULL, len, SPLICE_F_NONBLOCK);

	if (n < 0 && errno != EINTR)
		fail(r, "splice", at);
	for (ssize_t m, done = 0; done < n; done += m) {
		m = read(r->channel[0], r->buffer, (size_t)(n - done));
		if (m < 0 && errno == EINTR)
			m = 0;
		expect(r, "pipe", r->buffer, m, at + done);
	}
}

static void forget(struct reader *r, off_t at, size_t len) {
	static const int advices[] = { POSIX_FADV_DONTNEED, POSIX_FADV_WILLNEED,
				       POSIX_FADV_RANDOM, POSIX_FADV_SEQUENTIAL,
				       POSIX_FADV_NORMAL };

	posix_fadvise(r->file, at, (off_t)len, advices[anything(r, ARRAY_SIZE(advices))]);
	readahead(r->file, at, len);
	lseek(r->file, at, anything(r, 2) ? SEEK_HOLE : SEEK_DATA);
}

/* All of it must be refused; what only asks may be. */
static void change(struct reader *r, off_t at, size_t len) {
	char value[64];
	int zero = 0;

	if (pwrite(r->file, "X", 1, at) >= 0 || ftruncate(r->file, at) >= 0 ||
	    fallocate(r->file, 0, at, (off_t)len) >= 0 || fchmod(r->file, 0777) >= 0 ||
	    fchown(r->file, 1, 1) >= 0 || futimens(r->file, NULL) >= 0 ||
	    fsetxattr(r->file, "user.x", "x", 1, 0) >= 0 ||
	    fremovexattr(r->file, "user.x") >= 0 ||
	    mmap(NULL, 4096, PROT_WRITE, MAP_SHARED, r->file, 0) != MAP_FAILED)
		give_up("a change was not refused", at);
	fgetxattr(r->file, "security.capability", value, sizeof(value));
	flistxattr(r->file, value, sizeof(value));
	ioctl(r->file, FIBMAP, &zero);
	ioctl(r->file, FS_IOC_GETFLAGS, &zero);
	ioctl(r->file, 0xdeadbeef, &zero);
	flock(r->file, LOCK_EX | LOCK_NB);
	fcntl(r->file, F_SETLK, &(struct flock){ .l_type = F_RDLCK });
	fsync(r->file);
	errno = 0;
}

static void (*const ways[])(struct reader *r, off_t at, size_t len) = {
	read_plain,  read_plain,   read_plain, read_direct, read_vector,
	read_mapped, read_spliced, forget,     change,
};

static void on_alarm(int number) {
}

static void be_hostile(struct reader *r, unsigned rounds) {
	const struct itimerval often = { { 0, 700 }, { 0, 700 } };
	struct sigaction a = { .sa_handler = on_alarm }; /* without SA_RESTART */

	if (pipe2(r->channel, O_CLOEXEC) < 0)
		_exit(1);
	sigaction(SIGALRM, &a, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
	for (unsigned i = 0; i < rounds; i++) {
		off_t at = (off_t)anything(r, (uint64_t)r->size + 8192);
		size_t len = (size_t)anything(r, anything(r, 8) ? 20000 : LENGTH_MAX);

		ways[anything(r, ARRAY_SIZE(ways))](r, at, len);
	}
	_exit(0);
}

static int open_reader(struct reader *r, char **argv) {
	int good = open(argv[2], O_RDONLY | O_CLOEXEC);

	r->file = open(argv[1], O_RDONLY | O_CLOEXEC);
	r->direct = open(argv[1], O_RDONLY | O_DIRECT | O_CLOEXEC);
	r->buffer = aligned_alloc(4096, LENGTH_MAX);
	if (good < 0 || r->file < 0 || r->direct < 0 || !r->buffer)
		return -1;
	r->size = lseek(good, 0, SEEK_END);
	r->good = mmap(NULL, (size_t)r->size, PROT_READ, MAP_SHARED, good, 0);
	return r->size <= 0 || r->good == MAP_FAILED ? -1 : 0;
}

int main(int argc, char **argv) {
	static struct reader r = { .file = -EBADF, .direct = -EBADF };
	int status, failed = 0;

	if (argv[0][0] == '@') /* started as a server: one that never begins */
		pause();
	if (argc < 5 || open_reader(&r, argv) < 0)
		return 2;
	r.dying = argc > 5;
	signal(SIGBUS, SIG_DFL); /* a sanitizer's handler is not wanted */
	for (int i = 0; i < atoi(argv[3]); i++) {
		r.state = (uint64_t)i * 7919 + (uint64_t)getpid();
		if (fork() == 0)
			be_hostile(&r, (unsigned)atoi(argv[4]));
	}
	printf("begun\n");
	fflush(stdout);
	while (wait(&status) >
	       0) /* a page that cannot be read is a SIGBUS for who has mapped it */
		failed |= WIFEXITED(status) ? WEXITSTATUS(status) != 0
					    : !r.dying || WTERMSIG(status) != SIGBUS;
	return failed;
}

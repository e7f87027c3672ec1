/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Locks of all three kinds, and leases. */
#include <sys/file.h>
#include <sys/wait.h>

#include "posix.h"

static int lock(int fd, int command, short type, off_t start, off_t length) {
	struct flock l = { .l_type = type, .l_start = start, .l_len = length };

	return fcntl(fd, command, &l);
}

/* Whether another process is refused, or not. */
static bool other_process(const char *path, short type, off_t start, bool refused) {
	pid_t child = fork();
	int state = 1;

	if (child == 0) {
		int fd = opened(path, O_RDWR);
		bool got = works(lock(fd, F_SETLK, type, start, 1));

		_exit(got == refused);
	}
	return child > 0 && waitpid(child, &state, 0) == child && state == 0;
}

static void flocks(void) {
	int a = opened("file", O_RDONLY), b = opened("file", O_RDONLY);

	CHECK(works(flock(a, LOCK_EX)) && fails(flock(b, LOCK_EX | LOCK_NB), EWOULDBLOCK));
	CHECK(fails(flock(b, LOCK_SH | LOCK_NB), EWOULDBLOCK));
	CHECK(works(flock(a, LOCK_SH)) && works(flock(b, LOCK_SH | LOCK_NB)));
	CHECK(fails(flock(opened("file", O_RDWR), LOCK_EX | LOCK_NB), EWOULDBLOCK));
	CHECK(works(flock(a, LOCK_UN)) && works(flock(b, LOCK_EX | LOCK_NB)));
	CHECK(works(chmod("file", 0600)) &&
	      fails(flock(a, LOCK_EX | LOCK_NB), EWOULDBLOCK));
	close(b);
	CHECK(works(flock(a, LOCK_EX | LOCK_NB)));
	a = opened("dir", O_RDONLY), b = opened("dir", O_RDONLY);
	CHECK(works(flock(a, LOCK_EX)) && fails(flock(b, LOCK_EX | LOCK_NB), EWOULDBLOCK));
}

static void record_locks(void) {
	int fd = opened("file", O_RDWR), too;
	struct flock l = { .l_type = F_WRLCK, .l_start = 5, .l_len = 1 };
	pid_t child;
	int state = 1;

	CHECK(works(lock(fd, F_SETLK, F_WRLCK, 0, 5)));
	CHECK(other_process("file", F_WRLCK, 4, true));
	CHECK(other_process("file", F_RDLCK, 0, true));
	CHECK(other_process("file", F_WRLCK, 5, false));
	CHECK(works(lock(fd, F_SETLK, F_RDLCK, 0, 5)));
	CHECK(other_process("file", F_RDLCK, 0, false));
	CHECK(other_process("file", F_WRLCK, 0, true));
	child = fork();
	if (child == 0)
		_exit(fcntl(fd, F_GETLK, &l) < 0 || l.l_type != F_UNLCK);
	CHECK(waitpid(child, &state, 0) == child && state == 0);
	CHECK(works(lock(fd, F_SETLK, F_UNLCK, 0, 5)));
	CHECK(other_process("file", F_WRLCK, 0, false));
	CHECK(works(lock(fd, F_SETLKW, F_WRLCK, 0, 0)));
	too = opened("file", O_RDONLY);
	CHECK(other_process("file", F_WRLCK, 1000, true));
	close(too); /* with it all of this process' locks go */
	CHECK(other_process("file", F_WRLCK, 1000, false));
	CHECK(fails(lock(opened("file", O_RDONLY), F_SETLK, F_WRLCK, 0, 1), EBADF));
	CHECK(fails(lock(opened("file", O_WRONLY), F_SETLK, F_RDLCK, 0, 1), EBADF));
	CHECK(fails(lock(fd, F_SETLK, F_WRLCK, -1, 1), EINVAL));
}

static void description_locks(void) {
	int a = opened("file", O_RDWR), b = opened("file", O_RDWR);

	CHECK(works(lock(a, F_OFD_SETLK, F_WRLCK, 0, 5)));
	CHECK(fails(lock(b, F_OFD_SETLK, F_WRLCK, 4, 1), EAGAIN));
	CHECK(works(lock(b, F_OFD_SETLK, F_WRLCK, 5, 1)));
	CHECK(works(lock(a, F_OFD_SETLK, F_RDLCK, 0, 5)));
	CHECK(works(lock(b, F_OFD_SETLK, F_RDLCK, 0, 5)));
	CHECK(fails(lock(b, F_OFD_SETLK, F_WRLCK, 0, 5), EAGAIN));
	close(a);
	CHECK(works(lock(b, F_OFD_SETLK, F_WRLCK, 0, 5)));
	CHECK(works(rename("file", "gone")));
	CHECK(fails(lock(opened("gone", O_RDWR), F_OFD_SETLK, F_WRLCK, 0, 5), EAGAIN));
	CHECK(works(unlink("gone")) && works(put("gone", "x")));
	CHECK(works(lock(opened("gone", O_RDWR), F_OFD_SETLK, F_WRLCK, 0, 5)));
}

/* Who waits for a lock gets it when it is free. */
static void waiting(void) {
	int fd = opened("file", O_RDWR), ready[2], state = 1;
	char c;
	pid_t child;

	CHECK(works(pipe(ready)) && works(lock(fd, F_SETLK, F_WRLCK, 0, 1)));
	child = fork();
	if (child == 0) {
		fd = opened("file", O_RDWR);
		if (write(ready[1], "x", 1) != 1)
			_exit(1);
		_exit(lock(fd, F_SETLKW, F_WRLCK, 0, 1) < 0 || pwrite(fd, "W", 1, 0) != 1);
	}
	CHECK(read(ready[0], &c, 1) == 1 && holds("file", "0123456789"));
	fd = opened("file", O_RDWR);
	CHECK(works(lock(fd, F_SETLK, F_UNLCK, 0, 1)));
	CHECK(waitpid(child, &state, 0) == child && state == 0);
	CHECK(holds("file", "W123456789"));
}

const struct posix_case posix_locks[] = {
	{ "flocks", flocks },
	{ "record-locks", record_locks },
	{ "description-locks", description_locks },
	{ "waiting", waiting },
	{ NULL, NULL },
};

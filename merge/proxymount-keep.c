/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The process that puts the old trees back if this one is killed while they are off. */
#include "proxymount-parts.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "../fuse/fusermount.h"
#include "file.h"
#include "log.h"

/* What the keeper is told: the hierarchy of this number will be without a tree; or it has one again; or all is well. */
#define IS_ON 0x80
#define ALL_IS_WELL 0xff

/*
 * Whether there is a whole tree of ours, the old one or the new. The record is written last. What is not whole is taken
 * off: its server has no connection, as that went with who was killed.
 */
static bool is_shown(const struct route *r, size_t i) {
	_cleanup_close_ int fd = file_open_in(r->root, r->state.hierarchies[i].name,
					      O_PATH | O_DIRECTORY);
	_cleanup_(record_freep) struct record *record = NULL;
	_cleanup_(mounts_freep) struct mounts *m = NULL;
	char ignored[FUSERMOUNT_WHY_MAX];
	const char *program = fusermount_find();
	struct mount_info top;
	int id = fd < 0 ? fd : mount_id(fd);

	if (id < 0 || mounts_read(&m) < 0 || !mounts_find(m, id, &top) ||
	    !stack_is_ours(&top))
		return false;
	if (stack_read_record(fd, &record) == 0)
		return true;
	if (program)
		(void)fusermount_unmount(program, fd, ignored);
	return false;
}

/* Reads until all is well, or nobody is there who could write. The lock is held until this ends. */
static _Noreturn void keep(struct route *r, int messages) {
	static const int ignored[] = { SIGHUP, SIGINT, SIGTERM, SIGQUIT, SIGPIPE };
	bool is_off[STATE_HIERARCHIES_MAX] = { false };
	uint8_t byte;
	ssize_t n;

	for (size_t i = 0; i < ARRAY_SIZE(ignored); i++)
		signal(ignored[i], SIG_IGN);
	setsid();
	while ((n = read(messages, &byte, 1)) == 1 || (n < 0 && errno == EINTR))
		if (n == 1 && byte == ALL_IS_WELL)
			_exit(0);
		else if (n == 1 && (byte & ~IS_ON) < STATE_HIERARCHIES_MAX)
			is_off[byte & ~IS_ON] = !(byte & IS_ON);
	for (size_t i = 0; i < r->state.n; i++)
		r->is_cleared[i] = is_off[i] && !is_shown(r, i);
	proxymount_put_back(r);
	_exit(0);
}

static int start(struct route *r) {
	int ends[2];
	pid_t child;

	/*
	 * fusermount3 has the other end as well, so that it is not in the middle of something when the keeper begins. A
	 * socket, as a pipe whose reader was killed would end the run by SIGPIPE.
	 */
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) < 0)
		return -errno;
	child = fork();
	if (child == 0) {
		close(ends[1]);
		keep(r, ends[0]);
	}
	close(ends[0]);
	if (child < 0) {
		int e = -errno;

		close(ends[1]);
		return e;
	}
	r->keeper = child;
	r->to_keeper = ends[1];
	return 0;
}

static int tell(const struct route *r, uint8_t byte) {
	return send(r->to_keeper, &byte, 1, MSG_NOSIGNAL) == 1 ? 0 : -errno;
}

int proxymount_keep(struct route *r, size_t i) {
	int e = r->keeper > 0 ? 0 : start(r);

	return e < 0 ? e : tell(r, (uint8_t)i);
}

void proxymount_kept(const struct route *r, size_t i) {
	if (r->keeper > 0)
		(void)tell(r, (uint8_t)i | IS_ON);
}

void proxymount_end_keeper(struct route *r) {
	if (r->keeper <= 0)
		return;
	(void)tell(r, ALL_IS_WELL);
	close_fdp(&r->to_keeper);
	r->to_keeper = -EBADF;
	while (waitpid(r->keeper, NULL, 0) < 0 && errno == EINTR)
		;
	r->keeper = 0;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Starting extmerge-fuse, so that it shares nothing with us but the fds it is given. */
#pragma once

#include "../merge/base.h"
#include "request.h"

#define SERVER_WHY_MAX 256
#define SERVER_FDS (REQUEST_FD_END - REQUEST_FD_FUSE)

/*
 * Opens the program: `path`, or where that is NULL the one beside the running program, or else the one that was
 * installed with it; never by PATH. Returns an fd that the caller owns, or a negative errno: -ENOENT where there
 * is none (specs: vfile.9).
 */
int server_open(const char *path);

/*
 * Waits at the pipe or socket `fd` for what a server says: 0 where it is at work; otherwise as server_start() for its
 * refusal, or its end. `seconds` at most.
 */
int server_wait(int fd, unsigned seconds, char ret_why[static SERVER_WHY_MAX]);

/*
 * Starts `program` with the arguments `argv` and an empty environment, in a session of its own and not as our
 * child. fds[i], of SERVER_FDS + `n_more`, becomes REQUEST_FD_FUSE + i there, /dev/null where it is negative; that
 * of REQUEST_FD_READY is made here, whatever is in the array. Waits until the server says that it is at work, `seconds` at most. 0; or a negative errno and a line in
 * `ret_why`: -ETIMEDOUT; -EPROTO where the server gave a reason or ended without one, but -ENOMEM,
 * -EMFILE and -ENFILE as they are; or what hindered us.
 * *ret_server, unless it is NULL, is the server's process, or -1 where there is none.
 * The caller's program must have one thread (specs: vfile.10).
 */
int server_start(int program, char *const *argv, const int fds[static SERVER_FDS],
		 size_t n_more, unsigned seconds, pid_t *ret_server,
		 char ret_why[static SERVER_WHY_MAX]);

/* Waits until that process is gone, `seconds` at most, where the kernel can tell (Linux 5.3). One that is not there is gone. */
void server_wait_end(pid_t server, unsigned seconds);

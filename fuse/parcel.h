/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One message with arguments and fds, from extmerge to a server that takes further images. */
#pragma once

#include "../merge/base.h"

#define PARCEL_FDS_MAX 8
#define PARCEL_ARGS_MAX 16
#define PARCEL_SIZE_MAX 4096 /* bytes of all arguments, with their NULs */

struct parcel {
	int fds[PARCEL_FDS_MAX]; /* owned */
	size_t n_fds;
	int argc;
	char *argv[PARCEL_ARGS_MAX + 1]; /* in `text` */
	char text[PARCEL_SIZE_MAX];
};

/*
 * Sends the arguments and the fds, which stay the caller's, over `socket` of the type SOCK_SEQPACKET. 0; -E2BIG for too
 * many; or a negative errno, which is -EPIPE or -ECONNRESET where nobody is there any more.
 */
int parcel_send(int socket, char *const *argv, const int *fds, size_t n_fds);

/*
 * Waits for one. 1 with *ret, to be ended with parcel_done(); 0 when the other side has gone; -EBADMSG for what is none;
 * or a negative errno.
 */
int parcel_receive(int socket, struct parcel *ret);
void parcel_done(struct parcel *p);

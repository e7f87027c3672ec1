/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SCM_RIGHTS, and arguments one behind the other, each ended by NUL. */
#include "parcel.h"

#include <string.h>
#include <sys/socket.h>

/* Aligned as the kernel wants it. */
union control {
	struct cmsghdr header;
	char bytes[CMSG_SPACE(PARCEL_FDS_MAX * sizeof(int))];
};

static int write_text(char *const *argv, char text[static PARCEL_SIZE_MAX],
		      size_t *ret_size) {
	size_t size = 0, n = 0;

	for (; argv[n]; n++) {
		size_t len = strlen(argv[n]) + 1;

		if (n == PARCEL_ARGS_MAX || len > PARCEL_SIZE_MAX - size)
			return -E2BIG;
		memcpy(text + size, argv[n], len);
		size += len;
	}
	*ret_size = size;
	return 0;
}

int parcel_send(int socket, char *const *argv, const int *fds, size_t n_fds) {
	char text[PARCEL_SIZE_MAX];
	union control control = { .bytes = { 0 } };
	struct iovec part = { .iov_base = text };
	struct msghdr m = { .msg_iov = &part,
			    .msg_iovlen = 1,
			    .msg_control = &control,
			    .msg_controllen = CMSG_SPACE(n_fds * sizeof(int)) };
	int r = n_fds > PARCEL_FDS_MAX ? -E2BIG : write_text(argv, text, &part.iov_len);

	if (r < 0)
		return r;
	control.header = (struct cmsghdr){ .cmsg_level = SOL_SOCKET,
					   .cmsg_type = SCM_RIGHTS,
					   .cmsg_len = CMSG_LEN(n_fds * sizeof(int)) };
	memcpy(CMSG_DATA(&control.header), fds, n_fds * sizeof(int));
	return sendmsg(socket, &m, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

/* Whatever came with the message is ours, also if the message is refused. */
static void take_fds(struct msghdr *m, struct parcel *p) {
	struct cmsghdr *c = CMSG_FIRSTHDR(m);

	if (!c || c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
		return;
	p->n_fds = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
	memcpy(p->fds, CMSG_DATA(c), p->n_fds * sizeof(int));
}

static bool split(struct parcel *p, size_t size) {
	if (size == 0 || p->text[size - 1] != '\0')
		return false;
	for (size_t at = 0; at < size; at += strlen(p->text + at) + 1) {
		if (p->argc == PARCEL_ARGS_MAX)
			return false;
		p->argv[p->argc++] = p->text + at;
	}
	return true;
}

int parcel_receive(int socket, struct parcel *ret) {
	union control control;
	struct iovec part = { .iov_base = ret->text, .iov_len = PARCEL_SIZE_MAX };
	struct msghdr m = { .msg_iov = &part,
			    .msg_iovlen = 1,
			    .msg_control = &control,
			    .msg_controllen = sizeof(control) };
	ssize_t n;

	memset(ret->argv, 0, sizeof(ret->argv));
	ret->argc = 0;
	ret->n_fds = 0;
	do
		n = recvmsg(socket, &m, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n <= 0)
		return n < 0 ? -errno : 0;
	take_fds(&m, ret);
	if (!(m.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) && split(ret, (size_t)n))
		return 1;
	parcel_done(ret);
	return -EBADMSG;
}

void parcel_done(struct parcel *p) {
	for (size_t i = 0; i < p->n_fds; i++)
		close_fdp(&p->fds[i]);
	p->n_fds = 0;
}

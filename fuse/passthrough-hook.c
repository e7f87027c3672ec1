/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * For libfuse 3.14 to 3.16, which know the protocol's flags but not this one: their answer to the kernel's first
 * request passes through a hook that adds it.
 */
#define FUSE_USE_VERSION 35
#include "passthrough.h"

#include <fuse_lowlevel.h>
#include <linux/fuse.h>
#include <string.h>
#include <sys/uio.h>

#define PASSTHROUGH (1U << 5) /* FUSE_PASSTHROUGH, of flags2; Linux 6.9 */

/* The end of struct fuse_init_out as Linux 6.9 has it: "max_stack_depth" was unused before. */
#define FLAGS2 offsetof(struct fuse_init_out, flags2)
#define MAX_STACK_DEPTH (FLAGS2 + sizeof(uint32_t))

static void note_offer(struct passthrough *p, const char *request, size_t n) {
	struct fuse_in_header header;
	struct fuse_init_in init;

	if (n < sizeof(header) + sizeof(init))
		return;
	memcpy(&header, request, sizeof(header));
	memcpy(&init, request + sizeof(header), sizeof(init));
	if (header.opcode != FUSE_INIT)
		return;
	p->greeting = header.unique;
	p->offered = p->depth > 0 && init.flags & FUSE_INIT_EXT &&
		     init.flags2 & PASSTHROUGH;
	p->suid_offered = p->takes_suid && init.flags & FUSE_HANDLE_KILLPRIV_V2;
}

static ssize_t receive(int fd, void *buffer, size_t size, void *userdata) {
	struct passthrough *p = userdata;
	ssize_t n = read(fd, buffer, size);

	if (n > 0 && p->greeting == 0)
		note_offer(p, buffer, (size_t)n);
	return n;
}

/* `answer` is a struct fuse_init_out. */
static void accept_offer(struct passthrough *p, char *answer) {
	struct fuse_init_out out;
	uint32_t depth = p->depth;

	memcpy(&out, answer, sizeof(out));
	out.flags |= FUSE_INIT_EXT;
	out.flags2 |= PASSTHROUGH;
	memcpy(answer, &out, sizeof(out));
	memcpy(answer + MAX_STACK_DEPTH, &depth, sizeof(depth));
	p->granted = true;
}

static void accept_suid(struct passthrough *p, char *answer) {
	struct fuse_init_out out;

	memcpy(&out, answer, sizeof(out));
	out.flags |= FUSE_HANDLE_KILLPRIV_V2;
	memcpy(answer, &out, sizeof(out));
	p->suid_granted = true;
}

/* Whether this is what libfuse answers to the kernel's first request. */
static bool is_greeting(const struct passthrough *p, const struct iovec *parts, int n) {
	const struct fuse_out_header *header = parts[0].iov_base;

	return n == 2 && header->unique == p->greeting && header->error == 0 &&
	       parts[1].iov_len == sizeof(struct fuse_init_out);
}

static ssize_t answer(int fd, struct iovec *parts, int n, void *userdata) {
	struct passthrough *p = userdata;

	if (p->offered && !p->granted && is_greeting(p, parts, n))
		accept_offer(p, parts[1].iov_base);
	if (p->suid_offered && !p->suid_granted && is_greeting(p, parts, n))
		accept_suid(p, parts[1].iov_base);
	return writev(fd, parts, n);
}

int passthrough_prepare(struct passthrough *p, struct fuse_session *s, int fuse_fd) {
	static const struct fuse_custom_io hooks = { .read = receive, .writev = answer };

	return fuse_session_custom_io(s, &hooks, fuse_fd);
}

void passthrough_want(struct passthrough *p, struct fuse_conn_info *conn) {
	p->granted = p->suid_granted = false; /* until the answer passes */
}

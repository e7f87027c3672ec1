/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * hang-fuse DIRECTORY: a FUSE file system that is mounted and then answers nothing. For tests/root/resources.sh.
 * With more arguments it stands for a driver that finds its connection as fd 4, and answers what its root is, nothing else: for
 * tests/root/reach.sh.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

static char request[FUSE_MIN_READ_BUFFER + 4096];

/* The one answer that the kernel needs to take the file system for a living one. */
static int answer_init(int fd) {
	const struct fuse_in_header *in = (const void *)request;
	struct {
		struct fuse_out_header header;
		struct fuse_init_out init;
	} out = {
		.header = { .len = sizeof(out) },
		.init = { .major = FUSE_KERNEL_VERSION,
			  .minor = FUSE_KERNEL_MINOR_VERSION,
			  .max_readahead = 4096,
			  .max_write = 4096 },
	};

	if (read(fd, request, sizeof(request)) < (ssize_t)sizeof(*in) ||
	    in->opcode != FUSE_INIT)
		return -1;
	out.header.unique = in->unique;
	return write(fd, &out, sizeof(out)) == (ssize_t)sizeof(out) ? 0 : -1;
}

static int answer_root(int fd) {
	const struct fuse_in_header *in = (const void *)request;
	struct {
		struct fuse_out_header header;
		struct fuse_attr_out attr;
	} out = {
		.header = { .len = sizeof(out) },
		.attr.attr = { .ino = FUSE_ROOT_ID, .mode = S_IFDIR | 0755, .nlink = 2 },
	};

	if (read(fd, request, sizeof(request)) < (ssize_t)sizeof(*in) ||
	    in->opcode != FUSE_GETATTR)
		return -1;
	out.header.unique = in->unique;
	return write(fd, &out, sizeof(out)) == (ssize_t)sizeof(out) ? 0 : -1;
}

/* Takes every request, so that whoever waits for the answer cannot be killed. */
static int hang(int fd) {
	for (;;)
		if (read(fd, request, sizeof(request)) < 0 && errno != EINTR &&
		    errno != EAGAIN)
			return 0; /* unmounted */
}

int main(int argc, char **argv) {
	char options[64];
	int fd;

	if (argc > 2)
		return answer_init(4) < 0 || answer_root(4) < 0 ? 1 : hang(4);
	fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	if (argc != 2 || fd < 0)
		return 77;
	snprintf(options, sizeof(options), "fd=%d,rootmode=40000,user_id=0,group_id=0",
		 fd);
	if (mount("hang", argv[1], "fuse.hang", MS_NODEV | MS_NOSUID, options) < 0)
		return 77;
	if (answer_init(fd) < 0)
		return 1;
	return hang(fd);
}

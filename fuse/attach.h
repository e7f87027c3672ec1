/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A verified file: a file whose bytes are checked against a hash tree as they are read, without device-mapper. */
/*
 * Unions are in attach-union.h: attach_union() makes one, attach_union_io() says which way a mounted one gives out data
 * (`passthrough` or `cached`), for status.
 */
#pragma once

#include "../verity/target.h"

#define ATTACH_WHY_MAX 256

/*
 * One server for all images that are attached with it, begun with the first of them. It takes further ones until
 * this is freed; it ends with the last user of the last of them. A process that ends frees it as well.
 */
struct attach_server;

/* NULL where memory ran out. */
struct attach_server *attach_server_new(void);
void attach_server_free(struct attach_server *s);
DEFINE_CLEANUP(struct attach_server, attach_server_free)

/* All of it may be zero or NULL. */
struct attach_options {
	struct attach_server *shared; /* NULL: a server for this image alone */
	const char *name;   /* of the image, for the server's log and for ps; any text */
	const char *server; /* the program, for tests; NULL: server_open() finds it */
	const int *log_fd; /* where lines about bad blocks go; NULL: /dev/kmsg, or nowhere */
	size_t cache_bytes; /* for checked hash blocks, ATTACH_CACHE_BYTES */
	unsigned threads;   /* ATTACH_THREADS */
	unsigned seconds;   /* to wait for the server to begin; ATTACH_SECONDS */
	pid_t *ret_server;  /* the server, for whoever wants to see whether it lives */
};

#define ATTACH_CACHE_BYTES ((size_t)4 * 1024 * 1024)
#define ATTACH_THREADS 2
#define ATTACH_SECONDS 30

/*
 * Starts a server for the data area of `t` and returns an fd, open for reading, of a regular file of exactly the
 * bytes that the hash tree covers. fstat() gives its size; it begins with the first byte of the data area.
 *
 *	char why[ATTACH_WHY_MAX];
 *	int fd = attach_image(&target, &(struct attach_options){ .name = e->name }, why);
 *
 *	if (fd < 0)
 *		return refuse(e, fd, why);
 *	mount_from(&f, p, "/proc/self/fd/<fd>", 0, attributes);   (erofs)
 *	loop_attach(fd, 0, size, nodes);                          (everything else)
 *
 * The fd, which the caller owns, keeps the server, and so does a loop device or an erofs mount that was made of
 * it: close it as soon as that is done. With the last of them the kernel ends the connection and the server
 * leaves; nothing else has to be undone. The fds of `t` are borrowed for the time of the call; the server has
 * its own. It keeps neither the caller's mount namespace nor its directories nor any other fd alive, and is not
 * the caller's child. The mount is never attached to anything, so no path leads to it. Reading a block that is
 * wrong gives EIO, and one line in the log; what is not in memory gives ENOTCONN, or
 * ECONNABORTED to who waits already, once the server is gone.
 *
 * Needs /proc, CAP_SYS_ADMIN and a program of one thread; inside a workshop or outside. Otherwise a negative
 * errno, with a line for people in `ret_why`, and nothing was mounted where it says so (specs: vfile.8):
 *
 *	-EBADMSG      the superblock is wrong, or the root hash has not its algorithm's length: a static
 *	              sentence of superblock_parse() or hashtree_new(); nothing was mounted
 *	-ENODEV       there is no /dev/fuse, or it is not FUSE's (the caller may load the module "fuse" and try
 *	              again); nothing was mounted
 *	-ENOENT       the program extmerge-fuse is not there; nothing was mounted
 *	-EPERM        the kernel does not let us mount; also -EACCES
 *	-EPROTO       the server failed and said why
 *	-ETIMEDOUT    the server did not begin in time
 *	-EOPNOTSUPP   this extmerge was built without FUSE
 *	others        reading the superblock; memory and fds, also the server's (-ENOMEM, -EMFILE, -ENFILE)
 */
int attach_image(const struct verity_target *t, const struct attach_options *o,
		 char ret_why[static ATTACH_WHY_MAX]);

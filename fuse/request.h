/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What extmerge asks of extmerge-fuse: the arguments after the subcommand, and numbered fds. Pure. */
#pragma once

#include "../verity/target.h"

/*
 * The fds that the server starts with; 0 to 2 are /dev/null, and there are no others (specs: vfile.10).
 */
enum request_fd {
	REQUEST_FD_FUSE = 3, /* /dev/fuse, of a connection that is mounted */
	REQUEST_FD_DATA,
	REQUEST_FD_HASH,
	REQUEST_FD_READY, /* the pipe for one byte, and a sentence if it is not NUL */
	REQUEST_FD_LOG,	  /* where lines about bad blocks go */
	REQUEST_FD_END,
	REQUEST_FD_MORE =
		REQUEST_FD_END, /* a socket, of a server that takes further images */
};

/* What a message (parcel.h) about a further image carries: FUSE, DATA, HASH, LOG, with the same arguments. */
#define REQUEST_MORE_FDS 4

#define REQUEST_THREADS_MAX 64
#define REQUEST_CACHE_MAX ((size_t)1024 * 1024 * 1024)

struct request {
	struct verity_target target; /* without a signature; its fds are those above */
	size_t cache_bytes;	     /* for checked hash blocks */
	unsigned threads;
	bool takes_more;  /* further images come through REQUEST_FD_MORE */
	const char *name; /* of the image, for the log; any text */
};

/* Reads decimal digits up to `end`, at most INT64_MAX, and moves *text behind it; false for anything else. */
bool request_number(const char **text, char end, uint64_t *ret);

/* Appends the arguments that request_parse() reads to *v (strv). 0 or -ENOMEM. */
int request_format(const struct request *r, char ***v);

/*
 * Reads `argc` arguments. 0 with *ret, whose name is borrowed from them; or -EINVAL and *ret_why, a static
 * sentence.
 */
int request_parse(int argc, char *const *argv, struct request *ret, const char **ret_why);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is asked of extmerge-fuse union: its arguments. Its layers are the fds from REQUEST_FD_END on. Pure. */
#pragma once

#include "request.h"
#include "union-io.h"
#include "whiteout.h"

/* The upper directory, the work directory, and what keeps the mount that both are on, which is not used (overlay.3). */
#define UNION_REQUEST_UPPER_FDS 3

struct union_request {
	unsigned n_layers, threads;
	enum whiteout_space space;
	enum union_io io;
	bool enclosed;	  /* the union's root is not the connection's (union.23) */
	bool writes;	  /* UNION_REQUEST_UPPER_FDS more fds follow */
	const char *name; /* for ps; any text */
};

/* As request_format() and request_parse(). */
int union_request_format(const struct union_request *q, char ***v);
int union_request_parse(int argc, char *const *argv, struct union_request *ret,
			const char **ret_why);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is asked of extmerge-fuse union: its arguments. Its layers are the fds from REQUEST_FD_END on. Pure. */
#pragma once

#include "request.h"
#include "union-io.h"
#include "whiteout.h"

struct union_request {
	unsigned n_layers, threads;
	enum whiteout_space space;
	enum union_io io;
	bool writes;	  /* two more fds follow: the upper and the work directory */
	const char *name; /* for ps; any text */
};

/* As request_format() and request_parse(). */
int union_request_format(const struct union_request *q, char ***v);
int union_request_parse(int argc, char *const *argv, struct union_request *ret,
			const char **ret_why);

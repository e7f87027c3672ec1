/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The root of a connection, where the root of the union is a directory in it, its one entry (specs: union.23). Pure. */
#pragma once

#include <linux/fuse.h>

#include "../merge/base.h"

#define OUTER_NAME "tree" /* of the entry */

/* What the kernel calls the union's root, and the server the connection's: a node that no union gives out. */
#define OUTER_NODE UINT64_MAX

enum outer_step {
	OUTER_GO_ON, /* it is for the union, and its numbers are now those of the union */
	OUTER_ANSWER, /* it was for the connection's root, and is answered by *ret */
	OUTER_DONE,   /* and wants no answer */
};

struct outer_answer {
	struct fuse_out_header header; /* whose `len` is the length of all of it */
	union {
		struct fuse_entry_out entry;
		struct fuse_attr_out attr;
	} body;
};

/* What is to be done with a request of `n` bytes, as the kernel sends it, which is changed in its place. */
enum outer_step outer_take(char *request, size_t n, struct outer_answer *ret);

/* A node of the server as the kernel calls it. */
uint64_t outer_number(uint64_t node);

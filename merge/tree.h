/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A bounded walk over a directory tree that is not trusted: by fds, without recursion. */
#pragma once

#include <sys/stat.h>

#include "base.h"
#include "digest.h"

/* specs: layer.1. Beyond them the walk ends with an error, never with a part of the truth. */
struct tree_limits {
	uint64_t nodes;
	unsigned depth; /* directories below the root; each costs one fd while inside */
	uint64_t milliseconds;
};

extern const struct tree_limits tree_limits_default;

/* What the walk is at. Borrowed, valid during the call. */
struct tree_entry {
	const char *path; /* from the root of the walk: "lib/libz.so"; "" for the root */
	const char *name; /* its last part */
	unsigned depth;	  /* 0 for the root, 1 for what is in it */
	int parent;	  /* fd of the directory it is in; -EBADF for the root */
	int fd; /* of a directory, open for reading; -EBADF for mount points and all else */
	struct stat st;
};

struct tree_visitor {
	/*
	 * Called for the root and every entry; for a directory before its contents. A negative
	 * errno ends the walk; TREE_SKIP leaves out the contents of a directory.
	 */
	int (*enter)(const struct tree_entry *e, void *data);
	/* Called for a directory that was entered, after its contents. May be NULL. */
	void (*leave)(const struct tree_entry *e, void *data);
	void *data;
};

#define TREE_SKIP 1

/*
 * Walks the tree below the directory `root` (may be O_PATH) in the order of the names' bytes; other
 * mounts inside it are not entered. 0, what enter() returned, -E2BIG (nodes), -ELOOP (depth),
 * -ETIME, -ENOMEM, or the negative errno of what could not be read.
 */
int tree_walk(int root, const struct tree_limits *limits,
	      const struct tree_visitor *visitor);

/*
 * Adds what differs when anything about the entry differs: name, type, mode, owner, size, inode
 * number, times of modification and change (specs: record.3). Not what is in a file.
 */
void tree_digest_entry(const struct tree_entry *e, struct digest *d);

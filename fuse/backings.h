/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which nodes have a file in the kernel that is read instead of them, and how often each is open. Pure. */
#pragma once

#include "../merge/base.h"

#define BACKINGS_NONE UINT32_MAX
#define BACKINGS_IDLE_MAX 32768 /* files that are kept though nobody has them open */

struct backing {
	uint64_t node;	       /* 0 where the slot is free, or the node is forgotten */
	int32_t id;	       /* the kernel's number of the file; 0: there is none */
	uint32_t opens;	       /* how often it is open */
	uint32_t next;	       /* of the same bucket, or free; BACKINGS_NONE */
	uint32_t older, newer; /* of those that are not open; BACKINGS_NONE */
};

struct backings {
	struct backing *slots;
	uint32_t *buckets; /* `mask` + 1 of them */
	uint32_t n, room, mask, free;
	uint32_t oldest, newest, n_idle;
};

/* 0 or -ENOMEM. End it with backings_done() in any case; the kernel's files are not closed by that. */
int backings_init(struct backings *b);
void backings_done(struct backings *b);

/* The slot of the node, or BACKINGS_NONE. */
uint32_t backings_find(const struct backings *b, uint64_t node);

/*
 * Adds a node that has none, not open yet, with the kernel's number of its file, or 0 where it must do without as
 * long as it is open. 0 or -ENOMEM. *ret_gone is the number of a file to be closed, which was the longest unused, or 0.
 */
int backings_add(struct backings *b, uint64_t node, int32_t id, uint32_t *ret,
		 int32_t *ret_gone);

/* The node has been opened once more. */
void backings_open(struct backings *b, uint32_t slot);

/* It has been closed once: the number of a file to be closed, or 0. Slots that are not open are passed over. */
int32_t backings_release(struct backings *b, uint32_t slot);

/*
 * The kernel does not know the node any more: likewise. Where it is still open (the kernel says both in any order), the
 * slot stays until that is over, and the node's number is free for another.
 */
int32_t backings_forget(struct backings *b, uint64_t node);

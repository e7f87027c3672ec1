/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Opens a node's file once, hands it to the kernel, and remembers its number. */
#include "openings.h"

#include <pthread.h>

#include "backing.h"
#include "backings.h"

struct openings {
	pthread_mutex_t lock;
	int fuse_fd; /* borrowed */
	struct union_tree *tree;
	struct backings backings;
};

int openings_new(int fuse_fd, struct union_tree *u, struct openings **ret) {
	struct openings *o = calloc(1, sizeof(*o));

	if (!o)
		return -ENOMEM;
	if (backings_init(&o->backings) < 0) {
		free(o);
		return -ENOMEM;
	}
	pthread_mutex_init(&o->lock, NULL);
	o->fuse_fd = fuse_fd;
	o->tree = u;
	*ret = o;
	return 0;
}

void openings_free(struct openings *o) {
	if (!o)
		return;
	backings_done(&o->backings);
	pthread_mutex_destroy(&o->lock);
	free(o);
}

/*
 * What the kernel does not take (a file system that is stacked too high, no memory) is read by the server, as long as
 * it is open: the kernel would refuse to open it in both ways at the same time.
 */
static int hand_over(struct openings *o, uint64_t node, uint32_t *ret) {
	struct union_file f;
	int r = union_open(o->tree, node, &f);
	int32_t id, gone;

	if (r < 0)
		return r;
	id = backing_open(o->fuse_fd, f.fd);
	union_close(o->tree, &f);
	if (id < 0)
		id = 0;
	r = backings_add(&o->backings, node, id, ret, &gone);
	backing_close(o->fuse_fd, r < 0 ? id : gone);
	return r;
}

int openings_open(struct openings *o, uint64_t node, struct opening *ret) {
	uint32_t slot;
	int r = 0;

	pthread_mutex_lock(&o->lock);
	slot = backings_find(&o->backings, node);
	if (slot == BACKINGS_NONE)
		r = hand_over(o, node, &slot);
	if (r == 0) {
		backings_open(&o->backings, slot);
		*ret = (struct opening){ slot, o->backings.slots[slot].id };
	}
	pthread_mutex_unlock(&o->lock);
	return r;
}

void openings_release(struct openings *o, uint64_t handle) {
	pthread_mutex_lock(&o->lock);
	if (handle < BACKINGS_NONE)
		backing_close(o->fuse_fd,
			      backings_release(&o->backings, (uint32_t)handle));
	pthread_mutex_unlock(&o->lock);
}

/* Under one lock, so that nobody finds the node again and opens it in between. */
void openings_forget(struct openings *o, uint64_t node, uint64_t times) {
	pthread_mutex_lock(&o->lock);
	if (union_forget(o->tree, node, times))
		backing_close(o->fuse_fd, backings_forget(&o->backings, node));
	pthread_mutex_unlock(&o->lock);
}

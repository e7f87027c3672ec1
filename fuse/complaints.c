/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One write(2) for a line, as /dev/kmsg wants it: "<3>extmerge-fuse: image 'NAME': ...". */
#include "complaints.h"

#include <pthread.h>
#include <string.h>

#include "../merge/text.h"

#define NAME_SHOWN 200 /* bytes */

struct complaints {
	pthread_mutex_t lock;
	int fd;
	char *name;
	uint64_t since; /* the beginning of the period */
	unsigned lines; /* in this period */
	unsigned long held_back;
	struct hashtree_fault last;
	bool any;
};

int complaints_new(const char *name, int fd, struct complaints **ret) {
	_cleanup_(complaints_freep) struct complaints *c = calloc(1, sizeof(*c));

	if (!c)
		return -ENOMEM;
	pthread_mutex_init(&c->lock, NULL); /* a default mutex cannot fail to be made */
	c->fd = fd;
	c->name = text_escape(name);
	if (!c->name)
		return -ENOMEM;
	*ret = TAKE_PTR(c);
	return 0;
}

void complaints_free(struct complaints *c) {
	if (!c)
		return;
	pthread_mutex_destroy(&c->lock);
	free(c->name);
	free(c);
}

static bool is_same(const struct hashtree_fault *a, const struct hashtree_fault *b) {
	return a->area == b->area && a->level == b->level && a->block == b->block;
}

static const char *reason(const struct hashtree_fault *fault, int error) {
	if (error != -EBADMSG)
		return strerror(-error);
	return fault->area == HASHTREE_DATA ? "it is not what the hash tree names"
					    : "it is not under the root hash";
}

static void write_line(const struct complaints *c, const struct hashtree_fault *fault,
		       int error) {
	char line[COMPLAINT_LINE_MAX], block[64], held_back[64] = "";
	int n;

	if (fault->area == HASHTREE_DATA)
		snprintf(block, sizeof(block), "data block %llu",
			 (unsigned long long)fault->block);
	else
		snprintf(block, sizeof(block), "hash block %llu of level %u",
			 (unsigned long long)fault->block, fault->level);
	if (c->held_back > 0)
		snprintf(held_back, sizeof(held_back), " (%lu more lines held back)",
			 c->held_back);
	n = snprintf(line, sizeof(line),
		     "<3>extmerge-fuse: image '%.*s': %s at byte %llu of its area cannot be "
		     "given out: %s%s\n",
		     NAME_SHOWN, c->name, block, (unsigned long long)fault->offset,
		     reason(fault, error), held_back);
	if (n < 0 || write(c->fd, line, strlen(line)) < 0)
		return; /* there is no other place to say it */
}

void complaints_add(struct complaints *c, const struct hashtree_fault *fault, int error,
		    uint64_t now) {
	pthread_mutex_lock(&c->lock);
	if (now - c->since >= COMPLAINTS_PERIOD) {
		c->since = now;
		c->lines = 0;
	}
	if (c->any && is_same(&c->last, fault)) {
		/* the kernel asks again, page by page */
	} else if (c->lines >= COMPLAINTS_MAX) {
		c->held_back++;
	} else {
		write_line(c, fault, error);
		c->lines++;
		c->held_back = 0;
	}
	c->last = *fault;
	c->any = true;
	pthread_mutex_unlock(&c->lock);
}

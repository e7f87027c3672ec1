/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Exchanges two numbers, and answers the few requests that come before there is a mount without the outer root. */
#include "outer.h"

#include <string.h>
#include <sys/stat.h>

uint64_t outer_number(uint64_t node) {
	if (node == FUSE_ROOT_ID)
		return OUTER_NODE;
	return node == OUTER_NODE ? FUSE_ROOT_ID : node;
}

static void exchange(char *number) {
	uint64_t node;

	memcpy(&node, number, sizeof(node));
	node = outer_number(node);
	memcpy(number, &node, sizeof(node));
}

/* Where another directory is named, which may be the root. */
static bool has_second(uint32_t opcode, size_t body) {
	return (opcode == FUSE_RENAME || opcode == FUSE_RENAME2) &&
	       body >= sizeof(uint64_t);
}

static bool is_entry(const char *name, size_t n) {
	return n >= sizeof(OUTER_NAME) &&
	       memcmp(name, OUTER_NAME, sizeof(OUTER_NAME)) == 0;
}

/* Attributes of the union's root are asked for at once, as these are good for no time. */
static size_t fill_entry(struct fuse_entry_out *e) {
	*e = (struct fuse_entry_out){
		.nodeid = OUTER_NODE,
		.entry_valid = UINT32_MAX,
		.attr = { .ino = FUSE_ROOT_ID, .mode = S_IFDIR, .nlink = 1 },
	};
	return sizeof(*e);
}

static size_t fill_attributes(struct fuse_attr_out *a) {
	*a = (struct fuse_attr_out){
		.attr_valid = UINT32_MAX,
		.attr = { .ino = OUTER_NODE, .mode = S_IFDIR | 0555, .nlink = 1 },
	};
	return sizeof(*a);
}

/* Never ENOSYS: the kernel would take it for an answer to all requests of the kind. */
static void answer(const struct fuse_in_header *h, const char *body, size_t n,
		   struct outer_answer *ret) {
	size_t length = 0;
	int error = 0;

	if (h->opcode == FUSE_LOOKUP && is_entry(body, n))
		length = fill_entry(&ret->body.entry);
	else if (h->opcode == FUSE_GETATTR)
		length = fill_attributes(&ret->body.attr);
	else
		error = h->opcode == FUSE_LOOKUP     ? ENOENT
			: h->opcode == FUSE_GETXATTR ? ENODATA
						     : EACCES;
	ret->header = (struct fuse_out_header){
		.len = (uint32_t)(sizeof(ret->header) + length),
		.error = -error,
		.unique = h->unique,
	};
}

enum outer_step outer_take(char *request, size_t n, struct outer_answer *ret) {
	struct fuse_in_header h;

	if (n < sizeof(h))
		return OUTER_GO_ON;
	memcpy(&h, request, sizeof(h));
	n -= sizeof(h);
	/* These are of no node, and nobody waits for an answer. */
	if (h.opcode == FUSE_BATCH_FORGET || h.opcode == FUSE_INTERRUPT)
		return OUTER_GO_ON;
	/* The two roots are there as long as the connection. */
	if (h.opcode == FUSE_FORGET && outer_number(h.nodeid) != h.nodeid)
		return OUTER_DONE;
	if (h.nodeid == FUSE_ROOT_ID) {
		answer(&h, request + sizeof(h), n, ret);
		return OUTER_ANSWER;
	}
	exchange(request + offsetof(struct fuse_in_header, nodeid));
	if (has_second(h.opcode, n))
		exchange(request + sizeof(h));
	return OUTER_GO_ON;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The kernel's side of a FUSE server, for fuzz targets: in place of /dev/fuse there is a socket. An input is a program of
 * bytes: first what is in the layers, then requests, and changes to the layers in between.
 */
#pragma once

#include <linux/fuse.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define PEER_LAYERS 3
#define PEER_NODES 16
#define PEER_TMPFILE 51 /* FUSE_TMPFILE; Linux 6.1 */

struct peer {
	int fd, tree; /* the socket; where the layers are: "0" to "2", and "3" where something is above them */
	const uint8_t *data; /* what is left of the input */
	size_t len;
	unsigned places; /* how many of these directories are changed underneath */
	uint64_t unique, nodes[PEER_NODES]; /* that were given out */
	ino_t secret;
	char request[16384];
	char *answer;	 /* the last one, behind its header */
	size_t answered; /* its size */
	bool failed;	 /* it was an error */
};

/* A byte of the input, below n; zeros behind its end. */
unsigned peer_next(struct peer *p, unsigned n);
const char *peer_name(struct peer *p);

/* A node that was given out, or any number. */
uint64_t peer_node(struct peer *p);

/* Add to the body of the request that is sent next, at `at`; return where it ends. */
size_t peer_put(struct peer *p, size_t at, const void *body, size_t n);
size_t peer_put_name(struct peer *p, size_t at, const char *name);

/* Sends it, and, unless it has none, waits for its answer, which must be sound. */
void peer_ask(struct peer *p, uint32_t opcode, uint64_t node, size_t body);

/* Sends one that changes nothing, of directories only with `directories`. */
void peer_read(struct peer *p, bool directories);

/*
 * One run: `serve` is the server, and `request` sends one request. Both may be NULL: `last` sends what there is to be
 * sent at the end, and `ended` looks at what the server has left.
 */
struct peer_target {
	unsigned places;
	void (*serve)(int fd, const int *layers, int tree);
	void (*request)(struct peer *p);
	void (*last)(struct peer *p);
	void (*ended)(int tree);
	bool enclosed; /* the root is OUTER_NODE, and another one outside of it (union.23) */
};
void peer_run(const struct peer_target *t, const uint8_t *data, size_t len);

#define PEER_SECRET "what lies beside the layers"

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the kernel knows of a writable union: its nodes, and the names by which it got to know them. Not for several threads. */
#pragma once

#include <sys/stat.h>

#include "../merge/base.h"

#define NODES_ROOT ((uint64_t)1)

struct node;

/* An entry of a directory that was asked for. */
struct node_name {
	struct node *parent, *node;
	struct node_name *next; /* of the same node */
	const char *text;	/* with NUL, at most NAME_MAX bytes */
};

/* A file or directory, in the upper directory, in the layers below, or, if it is a directory, in both. */
struct node {
	uint64_t id;	  /* as the kernel calls it */
	uint64_t lookups; /* that the kernel has not forgotten */
	uint64_t lower; /* its node in the union of the layers, held there by one lookup; 0: none */
	uint64_t number; /* st_ino */
	struct node_name *names;
	struct stat *last; /* what it was when its last name went */
	ino_t upper_inode; /* if it is upper */
	uint32_t n_below;  /* names that have it as their parent */
	uint32_t opens;	   /* by the kernel */
	mode_t type;	   /* S_IF* */
	int fd;		   /* of the upper file while it is open, or has no name */
	bool is_upper;	   /* is in the upper directory */
	bool fd_is_writable;
	bool is_busy; /* somebody is making its copy */
};

struct nodes {
	struct node **list; /* by the lower half of their id; NULL where one is free */
	uint32_t n, room, free;
	uint32_t generation;		 /* the upper half of the next id */
	void *by_name, *by_inode, *kept; /* trees of tsearch(3) */
};

/* 0 or -ENOMEM. Makes the root. End it with nodes_done() in any case. */
int nodes_init(struct nodes *n);

/* `leave` is called for each node that is still there, before it is freed. */
void nodes_done(struct nodes *n, void (*leave)(struct node *node, void *data), void *data);

/* The node of this id, or NULL: the kernel's ids are not believed. */
struct node *nodes_get(const struct nodes *n, uint64_t id);

/* A new node without a name, or NULL. nodes_free() ends it. */
struct node *nodes_add(struct nodes *n);

/* Whether nothing needs the node any more. */
static inline bool node_is_unused(const struct node *node) {
	return node->lookups == 0 && node->n_below == 0 && node->opens == 0 &&
	       node->id != NODES_ROOT;
}

/* Frees an unused node with all its names; the caller has let go of its fd and its lower node. */
void nodes_free(struct nodes *n, struct node *node);

/* The name of an entry, or NULL. */
struct node_name *nodes_find(const struct nodes *n, const struct node *parent,
			     const char *text);

/* Gives the node a name, which must be free. 0 or -ENOMEM. */
int nodes_name(struct nodes *n, struct node *parent, const char *text, struct node *node);

/* Takes it away. The node stays. */
void nodes_unname(struct nodes *n, struct node_name *name);

/*
 * Upper files by their inode, so that hard links are one node. nodes_note_upper() says that the node is now that
 * of an inode: 0 or -ENOMEM.
 */
struct node *nodes_of_inode(const struct nodes *n, ino_t inode);
int nodes_note_upper(struct nodes *n, struct node *node, ino_t inode);

/* Says that the inode of this node is gone: another one may get its number. */
void nodes_forget_inode(struct nodes *n, struct node *node);

/*
 * Numbers that stay as they were before an inode of the upper directory took the place of something
 * (specs: overlay.6): 0 or -ENOMEM; the number, or 0 where there is none; and the end of it.
 */
int nodes_keep_number(struct nodes *n, ino_t inode, uint64_t number);
uint64_t nodes_kept_number(const struct nodes *n, ino_t inode);
void nodes_drop_number(struct nodes *n, ino_t inode);

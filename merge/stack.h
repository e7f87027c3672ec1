/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How layers become one mount (DESIGN, stack): by the kernel's overlayfs, or where that cannot be had by our FUSE server. */
#pragma once

#include "backend.h"
#include "layer.h"
#include "meta.h"
#include "mount.h"
#include "record.h"
#include "workshop.h"

/* A mount of the host below the hierarchy, which the new tree must show as well. */
struct stack_submount {
	char *path; /* below the hierarchy */
	int fd;	    /* a detached private clone with all that is mounted below it */
};

struct stack {
	int tree; /* the finished, detached tree */
	int meta; /* what holds the record: for record amendments */
};

/*
 * Says in r->backend which back end would make the tree of `h` here, and in r->backend_why what is wrong with the
 * better one: for who wants to know before it is built. 0 or a negative errno (specs: switch.14).
 */
int stack_choose(const struct hierarchy *h, struct workshop *w, enum backend choice,
		 struct record *r);

/*
 * Builds the merged tree of `h` in the workshop, with the record `r` in it, and the submounts attached.
 * r->backend, r->backend_why, r->layers_by and r->server are filled in. 0 with *ret, whose fds the caller owns; or a
 * negative errno and *ret_why, an owned sentence (or NULL): -ENODEV where no back end can be had.
 */
int stack_build(const struct hierarchy *h, struct workshop *w, enum backend choice,
		struct record *r, const struct stack_submount *submounts,
		size_t n_submounts, struct stack *ret, char **ret_why);

/* The layers of the tree, `meta` being the uppermost, top first: at most h->n_layers + 4 fds, borrowed; how many. */
size_t stack_list_layers(const struct hierarchy *h, int meta, int *ret);

/* What the tree is mounted with: MOUNT_ATTR_*. */
uint64_t stack_attributes(const struct hierarchy *h);

void stack_done(struct stack *s);

/* Writes the record into the layer that a stack's `meta` refers to; also after it is in use. */
int stack_write_record(int meta, const struct record *r);

/* Reads the record of the merged tree `tree` (any fd of its root). -ENODATA where there is none. */
int stack_read_record(int tree, struct record **ret);

/* The text by which the mount table shows our mount: "extmerge:sysext:usr:3"; and its last number, 0 where it has none. */
char *stack_source(const struct record *r);
uint64_t stack_source_generation(const char *source);

/*
 * Whether a mount is ours, by file system and source, which need privilege to set, and no layer can fake (specs:
 * record.4).
 */
bool stack_is_ours(const struct mount_info *i);

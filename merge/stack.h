/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How layers become one mount (DESIGN, stack): the kernel's overlayfs, by the best way this kernel knows. */
#pragma once

#include "layer.h"
#include "meta.h"
#include "record.h"
#include "workshop.h"

/* Layers that one overlay takes at most, the host's own and the one with the record included. */
#define STACK_LAYERS_MAX 500

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
 * Builds the merged tree of `h` in the workshop, with the record `r` in it, and the submounts attached.
 * r->backend, r->layers_by are filled in. 0 with *ret, whose fds the caller owns; or a
 * negative errno and *ret_why, an owned sentence (or NULL).
 */
int stack_build(const struct hierarchy *h, struct workshop *w, struct record *r,
		const struct stack_submount *submounts, size_t n_submounts,
		struct stack *ret, char **ret_why);

void stack_done(struct stack *s);

/* Writes the record into the layer that a stack's `meta` refers to; also after it is in use. */
int stack_write_record(int meta, const struct record *r);

/* Reads the record of the merged tree `tree` (any fd of its root). -ENODATA where there is none. */
int stack_read_record(int tree, struct record **ret);

/* The text by which the mount table shows our mount: "extmerge:sysext:usr:3". */
#define STACK_SOURCE_PREFIX META_SOURCE
char *stack_source(const struct record *r);

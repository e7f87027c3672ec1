/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How an extension becomes a tree fd (DESIGN, source): directory, file, block device, loop device. */
#pragma once

#include "extension.h"
#include "workshop.h"

/* What an image's bytes say before anything is mounted. */
struct source_part {
	enum fstype format;
	uint64_t offset, size; /* bytes within the image */
	bool is_usr;	       /* the tree belongs at usr/, not at the root */
};

struct source_layout {
	struct source_part parts[2]; /* the root and usr partition, or the whole image */
	size_t n_parts;
	bool is_disk; /* has a partition table */
	bool has_verity, has_signature;
};

/*
 * Reads the layout of the image `e->fd` for a host of that architecture; needs no privilege. What
 * is wrong with it becomes e->verdict. 0, or a negative errno that is no fault of the image.
 */
int source_read_layout(struct extension *e, const char *native, const char *secondary,
		       struct source_layout *ret);

/*
 * Opens the extension's trees (root_tree, usr_tree) in the workshop, read-only. A fault of the
 * image becomes e->verdict. 0, or a negative errno that is no fault of the image (memory, fds).
 */
int source_attach(struct extension *e, const char *native, const char *secondary,
		  struct workshop *w);

/* Whether an error says something about the machine's state, not about an image. */
bool source_is_shortage(int error);

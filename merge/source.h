/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How an extension becomes a tree fd (DESIGN, source): directory, file, device, loop device; protected or not. */
#pragma once

#include "assess.h"
#include "guard.h"
#include "workshop.h"

/* Borrowed. */
struct source_options {
	struct assess_options assess;
	struct guard *guard;
	struct workshop *workshop; /* NULL without privilege: images are only assessed */
};

/*
 * Opens the extension's trees (root_tree, usr_tree) in the workshop, read-only, once it is assessed and what
 * protects it is in force: before that the kernel sees no byte of it (specs: trust.6). A fault of the image
 * becomes e->verdict. 0, or a negative errno that is no fault of the image (memory, fds).
 */
int source_attach(struct extension *e, const struct source_options *o);

/* What an image's bytes say, without a policy and without being believed, for people. */
struct source_part {
	enum fstype format;
	uint64_t offset, size; /* bytes within the image */
	bool is_usr;	       /* the tree belongs at usr/, not at the root */
};

struct source_layout {
	struct source_part parts[GPT_DESIGNATOR_COUNT];
	size_t n_parts;
	bool is_disk; /* has a partition table */
};

/*
 * Reads the layout of the image for a host of that architecture, files beside it included; needs no
 * privilege. What is wrong with it becomes e->verdict. 0, or a negative errno that is no fault of the image.
 */
int source_read_layout(struct extension *e, const char *native, const char *secondary,
		       struct source_layout *ret);

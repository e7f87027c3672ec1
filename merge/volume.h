/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A run of blocks that is about to be mounted: of an image, or what stands for it once it is protected. */
#pragma once

#include "extension.h"
#include "workshop.h"

struct volume {
	int fd;
	uint64_t offset, size; /* bytes */
	bool is_device;	       /* all of it is a block device */
	bool is_file;	       /* that a file system could be mounted straight from */
	bool is_served;	       /* a verified file */
	enum fstype format;    /* volume_probe() */
};

/*
 * Looks which file system it is. What is none, or cannot be read, becomes the extension's verdict. 0, or a negative
 * errno that is no fault of it.
 */
int volume_probe(struct extension *e, struct volume *v);

/*
 * Mounts it in the workshop, read-only, by the first that works of: the file itself, a device or loop device, a driver in user
 * space (DESIGN, source). *ret is the tree, which the caller owns; e->access and e->format say how. As above.
 */
int volume_mount(struct extension *e, const struct volume *v, struct workshop *w,
		 int *ret);

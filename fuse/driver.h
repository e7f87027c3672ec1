/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A file system read in user space by a FUSE driver of another package, where the kernel may not mount it. */
#pragma once

#include "../merge/base.h"

#define DRIVER_WHY_MAX 256

struct driver_volume {
	const char *format; /* "squashfs" or "erofs" */
	int fd; /* a regular file or block device that can be opened again for reading */
	uint64_t offset; /* bytes, where the file system begins */
};

/* Where it is started: `scratch` is the root of a mount, `vigil` a pipe that ends when the caller has all that it wants of the driver. */
struct driver_place {
	int scratch, vigil;
};

/*
 * Starts the driver for the volume and returns a detached mount, read-only, whose fd the caller owns; `attributes`
 * are more MOUNT_ATTR_* of it. The driver has the image, the connection, no capability and no other fd; it is
 * not the caller's child. Its mount namespace is a copy of the caller's from which the scratch
 * is taken off, so that the mounts in there do not outlive the caller's namespace. It ends with the mount. One that
 * gives no answer for a minute, or has held up the caller for five until the vigil ends, is killed by a process beside it, and all that waits for it fails.
 *
 * Needs CAP_SYS_ADMIN in the caller's user namespace, and a program of one thread. Otherwise a negative errno and a
 * line for people in `ret_why`:
 *	-EOPNOTSUPP   there is no driver for the format, or extmerge was built without FUSE
 *	-ENOENT       its program is not installed; the line names the package
 *	-ENODEV, -EACCES   /dev/fuse is not there, or not for this user
 *	-EPROTO       the driver ended without serving it: most often it refuses the image
 *	-ETIMEDOUT    it did not answer
 */
int driver_mount(const struct driver_volume *v, uint64_t attributes,
		 const struct driver_place *p, char ret_why[static DRIVER_WHY_MAX]);

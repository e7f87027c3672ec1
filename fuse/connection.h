/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A connection of /dev/fuse and a detached mount that belongs to it. */
#pragma once

#include "../merge/base.h"

/* An fd of /dev/fuse, which the caller owns; -ENODEV where there is none, or it is not FUSE's; a negative errno. */
int connection_open(void);

struct connection_mount {
	const char *source;  /* as the mount table shows it */
	mode_t rootmode;     /* S_IFREG or S_IFDIR: what the root is */
	uint64_t attributes; /* MOUNT_ATTR_* */
	bool writes;	     /* not read-only */
	bool for_all; /* every user may enter, and the kernel checks modes; otherwise only root may */
};

/*
 * Mounts the connection, as type fuse.extmerge-fuse, attached nowhere. Returns an fd that the caller owns, or
 * a negative errno.
 */
int connection_mount(int fuse_fd, const struct connection_mount *m);

/* Lets the kernel read more ahead than the 128 KiB it begins with; where there is no /sys it stays at that. */
void connection_read_ahead(dev_t device);

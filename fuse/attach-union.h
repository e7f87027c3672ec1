/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A union as a detached mount, with its server. */
#pragma once

#include "attach-upper.h"
#include "attach.h"
#include "union-io.h"
#include "whiteout.h"

/* All of it may be zero or NULL. */
struct attach_union_options {
	const char *name;   /* for ps; any text */
	const char *source; /* as the mount table shows it; "extmerge-fuse:union" */
	const char *server; /* the program, for tests; NULL: server_open() finds it */
	enum whiteout_space space;
	uint64_t attributes; /* MOUNT_ATTR_*; read-only is added where nothing is written */
	unsigned threads;    /* ATTACH_UNION_THREADS */
	enum union_io io;    /* of a writable one not UNION_IO_PASSTHROUGH */
	const struct attach_upper *upper; /* NULL: the union is read-only (specs: overlay.1) */
	/* A connection that is mounted already, read-only; borrowed. attach_union() then returns 0 rather than a mount. */
	const int *connection;
	pid_t *ret_server; /* the server, for whoever wants to see whether it lives */
};

/* Two wake each other up, which makes small requests half as slow again (tests/bench/UNION.md). */
#define ATTACH_UNION_THREADS 1

/* Who waits for the disk does not keep the others waiting. */
#define ATTACH_OVERLAY_THREADS 4

/*
 * Starts a server for the union of `n` directories, top first, and returns a detached mount of it, which the caller
 * owns. `layers` are borrowed for the time of the call: where the kernel allows it, the server has detached clones of
 * them, so that the union may be mounted on one of them or inside of it. With the last user of the mount the server
 * ends. Otherwise a negative errno and a line in `ret_why`, as attach_image(); -ENOTDIR where a layer is no
 * directory, -ELOOP where one is there twice (specs: union.1, union.2, union.13).
 */
int attach_union(const int *layers, unsigned n, const struct attach_union_options *o,
		 char ret_why[static ATTACH_WHY_MAX]);

/*
 * Which way a union that is mounted gives out data: `mount` is an fd of its root, O_PATH will do. It needs
 * CAP_SYS_ADMIN and /proc, and asks the server, so it may hang where that hangs. 0 with *ret, never UNION_IO_AUTO;
 * -ENODATA for a mount that is no union, -ENOTCONN where the server is gone, or another negative errno (specs: union.17).
 */
int attach_union_io(int mount, enum union_io *ret);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One file-system context of the kernel: options in, a detached mount or the kernel's reason out. */
#pragma once

#include <stdint.h>

#include "base.h"

struct fs {
	int context;
	int error;	 /* the first negative errno; later calls then do nothing */
	char *complaint; /* what the kernel said about it, without its prefix, or NULL */
};

#define FS_NONE \
	{ .context = -EBADF }

/* Opens a context for the type; a module that is needed and absent is loaded. */
void fs_open(struct fs *f, const char *type);

void fs_set(struct fs *f, const char *key, const char *value);
void fs_set_flag(struct fs *f, const char *key);
void fs_set_fd(struct fs *f, const char *key, int fd);

/*
 * Creates the file system and mounts it with `attributes` (MOUNT_ATTR_*), detached. Returns an fd that
 * the caller owns, or the first error of all calls.
 */
int fs_mount(struct fs *f, uint64_t attributes);

void fs_done(struct fs *f);

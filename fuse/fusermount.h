/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * fusermount3, which comes with libfuse and is set-user-id root: it mounts a connection of FUSE for who may not mount, on a
 * directory of his own, and takes it off again (specs: union.22).
 */
#pragma once

#include "../merge/base.h"

#define FUSERMOUNT_WHY_MAX 256

/* Whether this process lacks CAP_SYS_ADMIN in its user namespace: then it can mount nothing itself. */
bool fusermount_is_needed(void);

/* Where it is, looked for without PATH: a static text, or NULL. */
const char *fusermount_find(void);

/* What keeps the program from helping, as far as it can be known beforehand: a static sentence, or NULL. */
const char *fusermount_obstacle(const char *program);

struct fusermount_options {
	const char *source;  /* as the mount table shows it */
	uint64_t attributes; /* MOUNT_ATTR_*; those that it does not know are left out */
};

/*
 * Mounts on `directory` (O_PATH) as type fuse.extmerge-fuse, for all users if that is allowed; modes are checked by the
 * kernel. The fd of the connection, which the caller owns, and whose server must begin soon: who looks at
 * the directory waits for it. Or a negative errno, and a line for people in `ret_why`: the program's own, if it has said
 * anything.
 */
int fusermount_mount(const char *program, int directory,
		     const struct fusermount_options *o,
		     char ret_why[static FUSERMOUNT_WHY_MAX]);

/* Takes off the mount whose root `directory` is, in use or not. 0, or as above. */
int fusermount_unmount(const char *program, int directory,
		       char ret_why[static FUSERMOUNT_WHY_MAX]);

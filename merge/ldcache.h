/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The dynamic linker's cache for what is merged: a file of its own in memory, mounted over the host's, which is never
 * written (specs: hook.5).
 */
#pragma once

#include "base.h"

/*
 * Whether the cache that is seen is one of ours. 1, 0, -EBUSY where somebody else has mounted one, -ENOENT where there
 * is no cache at all, or another negative errno.
 */
int ldcache_is_ours(void);

/*
 * Runs ldconfig on what is seen now, and puts its cache in place. 0; -ENOENT where there is no ldconfig, or no cache to
 * put it over; otherwise a negative errno, and *ret_why is an owned sentence or NULL: then the cache is as it was.
 */
int ldcache_make(unsigned milliseconds, char **ret_why);

/* Takes all of ours away: the host's own is seen. 0 or a negative errno. */
int ldcache_remove(void);

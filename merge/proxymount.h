/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Merging where this process may not mount, but fusermount3 does (specs: switch.18): in a root of one's own, from directories, by FUSE. No
 * mount can be put beneath another there, so each old tree goes before the new one comes.
 *
 * These say themselves what went wrong (log.h), and return an exit code.
 */
#pragma once

#include "route.h"

/*
 * Without privilege, where hierarchy `i` is merged: 1 with an fd of the host's own directory in *ret, O_PATH, which the
 * caller owns, or -EBADF where the host has none. 0 where what is seen is the host's, or below the workshop's root; a negative
 * errno where it cannot be looked at (underneath.h).
 */
int proxymount_open_base(const struct route *r, size_t i, int *ret);

/* Says which of the host's own directories that is. */
void proxymount_tell_unseen(const struct route *r);

/*
 * Without privilege, and only then: takes off the merged trees of the classes that are not settled below which it
 * cannot be looked. They come back with route_done(), unless proxymount_run() has replaced them.
 */
enum exit_code proxymount_clear(struct route *r);

/* Those of which the server has ended, before the host is read: nothing can be found below them. They do not come back. */
enum exit_code proxymount_clear_dead(struct route *r);

/* Carries out the plan. Where that fails, what was merged before comes back. */
enum exit_code proxymount_run(struct route *r);

/* Shows again what proxymount_clear() took off and nothing has replaced. */
void proxymount_restore(struct route *r);

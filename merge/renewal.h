/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A new upper layer in place of one that is written, in one step: made beside it under a name of its own, used by the new
 * tree, and exchanged with it by name before anybody can write to it (specs: written.5).
 */
#pragma once

#include "upper.h"

struct written_left;

/*
 * Makes the new layer, with what it keeps of the old one (or NULL), of an upper that upper_find() has found, and makes it what is written: u->directory, or in memory
 * what upper_prepare() will use. 0; -ENODATA where there is none to renew; or another negative errno and perhaps *ret_why.
 */
int renewal_begin(struct upper *u, int root, const struct written_left *keeps,
		  char **ret_why);

/* Gives the new layer the old one's name, and the old one the new one's; or back. 0 or a negative errno. */
int renewal_exchange(const struct upper *u);

/* Removes the old layer, if `is_done` and it has its new name; otherwise the new one that did not come to be. */
void renewal_end(struct upper *u, bool is_done);

/*
 * Ends what a killed run began for the layer `name` of `parent`: if the new one is what is merged (its device and inode are
 * `id`, which may be NULL), the names are exchanged. Whatever has the other name then is removed. 0 or a negative errno.
 */
int renewal_heal(int parent, const char *name, const char *id);

/* "DEVICE:INODE" of a directory, as records have it; the caller owns it. NULL for what cannot be looked at. */
char *renewal_id(int fd);

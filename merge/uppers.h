/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is written, over all hierarchies of a run: found, compared with the layers, prepared, cleaned up (specs: mutable.*). */
#pragma once

#include "route.h"

/* Finds those of all hierarchies that are asked for, and says what is wrong with them. */
enum exit_code uppers_find(struct route *r);

/* mutable.5: none is one of the layers, lies in one, or has one inside. Says which. */
enum exit_code uppers_check(const struct route *r);

/*
 * The upper layer of the merged tree of hierarchy `i`, O_PATH: after route_enter(). -ENODATA where nothing can be written;
 * -EXDEV where it is the host's own directory, so that nobody knows what was written; -ESTALE where it is not at its
 * place any more; or another negative errno.
 */
int uppers_open_merged(const struct route *r, size_t i);

/* Makes what is missing for all hierarchies that will be switched, in the workshop, and notes it in the records. */
enum exit_code uppers_prepare(struct route *r);

/* Removes what killed runs have left of work directories. Needs the lock and the workshop. */
void uppers_sweep(const struct route *r);

/*
 * After the trees were switched, or not: removes the work directories of those that are gone. With `success` these are
 * the old ones' of each hierarchy that was switched, otherwise the new ones'.
 */
void uppers_clean(struct route *r, bool success);

void uppers_done(struct route *r);

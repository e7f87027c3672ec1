/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whether what is merged was made from exactly what there is now: then there is nothing to do. */
#pragma once

#include "route.h"

/*
 * Digests all that the result of a merge depends on into r->inputs (specs: record.2): the host's
 * side of the match, --force, and every extension with its fingerprint, which is made where it is
 * not known yet. 0 or a negative errno.
 */
int inputs_digest(struct route *r, const struct class *class);

/*
 * Marks the classes for which the record says the same inputs: they are neither examined nor planned.
 * Returns whether that is so for all that were asked for.
 */
bool inputs_settle(struct route *r);

/*
 * What was said of the extensions of settled classes when they were merged: nobody has looked into them since, and to have no
 * verdict is to fit. 0 or -ENOMEM.
 */
int inputs_recall(struct route *r);

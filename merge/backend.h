/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What shows the layers as one tree (DESIGN, stack): which, and by whose choice. Pure (specs: switch.14). */
#pragma once

#include "base.h"

enum backend { BACKEND_AUTO, BACKEND_OVERLAY, BACKEND_FUSE };

#define BACKEND_GRAFTS_MAX 16 /* of one tree (specs: union.18) */

/* The word of the command line, of Backend= and of the record, or -EINVAL; and back. */
int backend_from(const char *text, enum backend *ret);
const char *backend_text(enum backend b);

/*
 * Whether the error of one back end says that it cannot be had here, or not for these layers, rather than that
 * something ran out or broke: then the other one is tried.
 */
bool backend_is_missing(int error);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Parts of a union that are mounts of a layer's own directories, so that no server is asked there. */
#pragma once

#include "attach-union.h"

/*
 * Attaches at most `max` of the largest directories that one of the layers alone brings to a union that attach_union()
 * has made of the same layers and options: read-only, with the options' attributes. `mount` is its fd. Where they are is
 * added to *ret (strv), and to *ret_failed a sentence for each that the union serves itself, as it could not be attached: before
 * Linux 6.15 the union must be attached to the caller's tree of mounts. 0; or -ENOMEM, and then not all that is attached is in
 * *ret (specs: union.18).
 */
int grafts_attach(int mount, const int *layers, unsigned n,
		  const struct attach_union_options *o, unsigned max, char ***ret,
		  char ***ret_failed);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From a discovered extension to a verdict: its tree, its release file, the match, its layers. */
#pragma once

#include "layer.h"
#include "source.h"

struct examine_options {
	struct source_options source;
	bool force_all;
	char *const *force; /* names (strv) */
};

/*
 * Fills in the extension and adds its layers to `hierarchies` (`n` of its class), or sets its
 * verdict and leaves them as they were. Extensions must come in the order of order.h, lowest first.
 * 0, or a negative errno that is no fault of the extension.
 */
int examine(struct extension *e, const struct examine_options *o,
	    struct hierarchy *const *hierarchies, size_t n);

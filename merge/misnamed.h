/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Names of files that look as if they should be images, and are none that anybody takes. Pure (specs: discover.misnamed). */
#pragma once

#include <stdbool.h>

#include "base.h"

struct misnamed {
	size_t stem;	/* how many bytes of the name would stand before ".raw" */
	bool is_packed; /* it would have to be unpacked as well */
};

/* Whether a file of this name would be an image under another one; only then *ret is written. */
bool misnamed_look(const char *entry, struct misnamed *ret);

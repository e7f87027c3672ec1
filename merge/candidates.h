/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which of the extensions that have one name it is: masks, versions, precedence of directories. Pure (specs: discover.pick to
 * discover.mask).
 */
#pragma once

#include "extension.h"

/* One name in a search directory: an extension, or a mask of that name. */
struct candidate {
	struct extension *extension; /* of a mask only name and path count */
	bool is_mask;
};

struct candidates {
	struct candidate *items;
	size_t n;
};

/* All borrowed. */
struct contest {
	const char *native,
		*secondary; /* the host's architectures; the second may be NULL */
	char *const *losers; /* paths (strv) of versions that turned out not to fit (discover.fallback) */
};

/* The extension stays the caller's where there is no memory. 0 or -ENOMEM. */
int candidates_add(struct candidates *c, struct candidate item);

/*
 * Judges those of one directory, `here`, among each other and by `taken`, which has those of all directories before it:
 * whoever is masked or shadowed gets that verdict. All of `here` go into `list`, which owns them from then on, and into `taken`, which
 * owns the masks. 0 or -ENOMEM; `here` is empty in any case.
 */
int candidates_settle(struct candidates *here, struct candidates *taken,
		      const struct contest *contest, struct extensions *list);

/* Ends both: what has not been settled, and the masks. */
void candidates_done(struct candidates *here, struct candidates *taken);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whether an extension's release file fits the host (UAPI.4, extension-release matching). Pure. */
#pragma once

#include "class.h"
#include "release.h"
#include "verdict.h"

/* The host's side of the comparison. Borrowed. */
struct match_host {
	const struct release *release; /* os-release of the host's own tree */
	const char *architecture;      /* name of architecture.h */
	const char *scope;	       /* "system" or "initrd" */
};

/*
 * Compares `extension` with the host by the rules of `class`, in the order of specs/match, and
 * sets *v to the first that fails, with both sides in its sentence ("VERSION_ID=12, host 13").
 * *v stays untouched where the extension fits. 0, or -ENOMEM.
 */
int match_release(const struct class *class, const struct match_host *host,
		  const struct release *extension, struct verdict *v);

/* One file of an extension-release.d directory, as far as the choice needs it. Borrowed. */
struct match_candidate {
	const char *suffix; /* what follows "extension-release." in its name */
	bool relaxed;	    /* its xattr user.extension-release.strict parses as false */
};

/*
 * Which of `n` candidates is the release file of the image whose full name is `full` and whose
 * name without version is `name`: the one with suffix `full`; else one with suffix `name`, or
 * `full` cut at its first '_' or '+', or relaxed. Returns its index, -ENOENT where there is none,
 * -ENOTUNIQ where two of the second kind compete.
 */
ssize_t match_choose(const struct match_candidate *candidates, size_t n, const char *full,
		     const char *name);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The host that extensions are merged into: read once from its own tree, const after. */
#pragma once

#include "match.h"

struct host {
	struct release *release; /* etc/os-release, else usr/lib/os-release */
	const char *architecture, *secondary;
	const char *scope; /* "system", or "initrd" where etc/initrd-release exists */
	bool runs_scripts; /* its init is none of systemd, and executes what lies in /etc (switch.16) */
};

/*
 * Reads the host below `root`. 0; -ENOENT without an os-release; -EBADMSG where it cannot be parsed;
 * -EOPNOTSUPP on an architecture without a name. Then *ret_why is a static sentence.
 */
int host_read(int root, struct host *ret, const char **ret_why);

/* The host's side of a match. Borrowed from it. */
struct match_host host_match(const struct host *h);

void host_done(struct host *h);

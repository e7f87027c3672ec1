/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The certificates that the host trusts: verity.d below /etc, /run, /usr/local/lib and /usr/lib (specs: certs.*). */
#pragma once

#include "../merge/digest.h"
#include "cert.h"

#define CERTS_MAX 256

/* Sorted by file name. */
struct certs {
	struct cert **items;
	size_t n;
	/*
	 * Whether the host means to trust somebody: a certificate is in force, or would be if it
	 * could be used. A broken file must not turn "signed is required" into "anything goes".
	 */
	bool is_wanted;
};

/*
 * Reads them below `root`, which must be the host's own tree and no merged one: an extension has no say
 * in who is trusted. What cannot be used is left out, and a sentence about it is appended to *problems
 * (strv; names in it are as they are). A key that is too weak is a problem too, but its certificate
 * stays, for signature_verify() to name it. 0 with *ret, to be freed by certs_done(), or a negative
 * errno that is no fault of theirs: memory, fds.
 */
int certs_read(int root, struct certs *ret, char ***problems);

/*
 * Adds what certs_read() would depend on, as far as it can be told without opening a certificate: names, and of
 * each the inode, size, owner, mode and times. 0 or a negative errno.
 */
int certs_digest(int root, struct digest *d);

void certs_done(struct certs *c);

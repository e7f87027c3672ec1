/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files of extmerge pack share: one call of it. */
#pragma once

#include "../content.h"
#include "../newfile.h"
#include "../options.h"
#include "../pack.h"

/* One call: what it was given, and what it has opened. */
struct packing {
	const struct options *options;
	const char *source, *target; /* paths */
	int directory;
	struct content content;
	struct keypair *keys;
	struct newfile scratch, image;
	struct pack_request request;
	struct packed packed;
};

/* The steps, in this order; each says itself what went wrong. */
enum exit_code packing_examine(struct packing *p);
enum exit_code packing_read_keys(struct packing *p);

/* "Cannot pack ...": `why`, or what the errno means. */
enum exit_code packing_fail(const struct packing *p, int error, const char *why);

/* All of it, for the operands DIRECTORY and IMAGE; only with `is_told` is the image described on stdout. */
enum exit_code packing_run(const struct options *o, bool is_told);

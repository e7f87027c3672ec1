/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A running hash that ends as text: to notice changes, not to resist a forger. The only user of xxhash. */
#pragma once

#include "base.h"

#define DIGEST_TEXT_MAX 33 /* 32 hex digits and NUL */

struct digest;

/* -ENOMEM, or 0 with *ret, which the caller owns. */
int digest_new(struct digest **ret);

/* Adds bytes. */
void digest_add(struct digest *d, const void *data, size_t len);

/* Adds a text with its end, so that "a","bc" differs from "ab","c"; NULL differs from "". */
void digest_add_text(struct digest *d, const char *text);

/* The digest of all that was added, in lower-case hex. */
void digest_finish(const struct digest *d, char ret[static DIGEST_TEXT_MAX]);

void digest_free(struct digest *d);
DEFINE_CLEANUP(struct digest, digest_free)

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How a union gives out data, as it is asked for and as it is said. Pure. */
#pragma once

#include "../merge/base.h"

enum union_io {
	UNION_IO_AUTO, /* passthrough where it works, else cached */
	UNION_IO_PASSTHROUGH, /* the kernel reads from the layer's file, and keeps nothing twice */
	UNION_IO_CACHED, /* the server reads, the kernel keeps pages and never asks to open */
};

/* The attribute of a union's root that says it (specs: union.17). */
#define UNION_IO_XATTR "trusted.extmerge.io"

/* The same of one that has an upper directory; others have not got it (specs: union.24). */
#define UNION_UPPER_XATTR "trusted.extmerge.upper"

/* "auto", "passthrough", "cached". Static. */
const char *union_io_name(enum union_io io);

/* The opposite, of `length` bytes. 0 or -EINVAL. */
int union_io_parse(const char *word, size_t length, enum union_io *ret);

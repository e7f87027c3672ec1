/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The words for the ways of giving out data. */
#include "union-io.h"

#include <string.h>

static const char *const names[] = {
	[UNION_IO_AUTO] = "auto",
	[UNION_IO_PASSTHROUGH] = "passthrough",
	[UNION_IO_CACHED] = "cached",
};

const char *union_io_name(enum union_io io) {
	return names[io];
}

int union_io_parse(const char *word, size_t length, enum union_io *ret) {
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strlen(names[i]) == length && memcmp(names[i], word, length) == 0) {
			*ret = (enum union_io)i;
			return 0;
		}
	return -EINVAL;
}

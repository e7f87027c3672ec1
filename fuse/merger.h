/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads a directory in all its layers and merges what is there. */
#pragma once

#include "directories.h"

#define MERGER_ENTRIES_MAX ((uint32_t)16 * 1024 * 1024) /* of one directory */

struct merger;

/* 0 with *ret, which the caller owns, -ENOMEM, or a negative errno where there are no random numbers. */
int merger_new(struct layers *layers, struct directories *directories,
	       struct merger **ret);
void merger_free(struct merger *m);
DEFINE_CLEANUP(struct merger, merger_free)

/*
 * Makes sure that the directory has its index (specs: union.3 to union.6, union.11). 0, -EFBIG for more than
 * MERGER_ENTRIES_MAX entries, or another negative errno.
 */
int merger_index(struct merger *m, struct directory *dir);

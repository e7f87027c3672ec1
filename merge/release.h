/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The assignments of an os-release or extension-release file (os-release(5), UAPI.4). Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base.h"

/* Larger files are refused before they are read. */
#define RELEASE_SIZE_MAX ((size_t)64 * 1024)

struct release;

/*
 * Parses `len` bytes of text by the grammar of os-release(5): KEY=value lines, comments, blank
 * lines, single and double quotes, backslash escapes; nothing is ever expanded or executed.
 * A line that is no assignment, an unfinished quote, a NUL byte, invalid UTF-8 or a control
 * character in a value, or more than 1024 assignments: -EINVAL; text over RELEASE_SIZE_MAX:
 * -EFBIG. Then *ret_why is a static sentence without a full stop, and *ret_line (may be NULL)
 * the number of the line, from 1, or 0 for -EFBIG. -ENOMEM leaves them as they are. A trailing
 * CR is part of the line ending. Without quotes, blanks around a value fall away and those
 * inside stay; a quote inside, or text behind a closing quote, is -EINVAL (specs: match.1).
 * The caller owns *ret.
 */
int release_parse(const char *text, size_t len, struct release **ret,
		  const char **ret_why, unsigned *ret_line);

/* The value of `key` ("" where it was set empty), or NULL where it is absent. Last one wins. */
const char *release_get(const struct release *r, const char *key);

/* Whether a value says yes: "1", "yes", "y", "true", "t" or "on", in any case. NULL does not. */
bool release_is_true(const char *value);

/* Whether the file had no assignment at all. */
bool release_is_empty(const struct release *r);

void release_free(struct release *r);
DEFINE_CLEANUP(struct release, release_free)

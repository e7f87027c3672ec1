/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Version strings and their order (UAPI.10). Pure. */
#pragma once

#include <stdbool.h>

/*
 * Compares two version strings by UAPI.10. Any bytes may be passed; NULL counts as "".
 * Returns a negative value, 0 or a positive value for older, equal, newer. Different strings
 * may be equal ("1_" and "1"): use version_compare_total() to sort.
 */
int version_compare(const char *a, const char *b);

/* version_compare() with a byte-wise tie break: 0 only for identical strings (specs: order.2). */
int version_compare_total(const char *a, const char *b);

/* Whether the text may stand as a version in a file name: 1 to 255 of [A-Za-z0-9.~^_+-]. */
bool version_is_valid(const char *version);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Text for people's eyes: escaping what came from outside, sizes, the nearest word. Pure. */
#pragma once

#include "base.h"

/*
 * The length of the character that `s` starts with, if it is UTF-8 (RFC 3629) and no control character
 * (C0, DEL, C1: what a terminal may take for a command); otherwise, and at the end, 0.
 */
size_t text_printable_length(const char *s);

/*
 * A copy that a terminal may show: control characters, backslashes and bytes that are no UTF-8
 * become \xHH, nothing else changes. NULL where memory ran out.
 */
char *text_escape(const char *s);

/* "27.6M": at most six characters and NUL. */
void text_size(uint64_t bytes, char ret[static 8]);

/* "2026-11-22", in UTC; "?" for what no calendar has. */
void text_date(int64_t seconds, char ret[static 16]);

/*
 * The word of `words` (NULL-terminated) that is nearest to `word`, if it is near enough to be a slip
 * of the hand (at most two edits, less than half of the word); otherwise NULL.
 */
const char *text_nearest(const char *word, const char *const *words);

/*
 * The `n` texts that are not NULL, with `between` between them; NULL where there is none. 0 with *ret, which the
 * caller owns, or -ENOMEM.
 */
int text_join(const char *between, const char *const *texts, size_t n, char **ret);

/* printf into a new string; NULL where memory ran out. */
char *text_format(const char *format, ...) _printf_(1, 2);

/* What stands behind a word that `n` things have: "s", or nothing where it is one. */
static inline const char *text_plural(uint64_t n) {
	return n == 1 ? "" : "s";
}

/* Whether one of the words in `list`, with blanks between them, is this one. */
bool text_has_word(const char *list, const char *word);

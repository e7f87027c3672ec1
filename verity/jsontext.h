/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A strict, bounded reader of JSON (RFC 8259) that walks over a text and never recurses. Pure. */
#pragma once

#include "../merge/base.h"

#define JSONTEXT_DEPTH_MAX 8

/* A place in the text. Each function moves it behind what it read. */
struct jsontext {
	const uint8_t *at, *end;
	unsigned depth;	 /* of objects and arrays around it */
	const char *why; /* once something was refused: a static sentence */
};

/* A place for decoded strings; it needs as many bytes as the text has at most. */
struct jsontext_sink {
	char *at; /* NULL: the string is checked and dropped */
};

/* Skips blanks; then whether the next byte is `c`, which is read over. */
bool jsontext_take(struct jsontext *j, char c);

/*
 * Reads a string, decodes its escapes, and writes it with a NUL at sink->at, which moves behind it. 0, or
 * -EBADMSG for what is no string, has bytes that are no UTF-8, control characters, escapes that JSON
 * does not have, half a surrogate pair, or a NUL (specs: verity.14).
 */
int jsontext_string(struct jsontext *j, struct jsontext_sink *sink);

/* Reads over one value of any type. 0, or -EBADMSG for what is no JSON or too deep. */
int jsontext_skip(struct jsontext *j);

/* Whether nothing but blanks is left. */
bool jsontext_is_done(struct jsontext *j);

/* Remembers the sentence and returns -EBADMSG. */
int jsontext_refuse(struct jsontext *j, const char *why);

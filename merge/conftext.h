/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The outline of a configuration file, before a library parses it: which keys stand where. Pure (specs: config.*). */
#pragma once

#include "base.h"

#define CONFTEXT_SIZE_MAX 65536 /* bytes of a file */
#define CONFTEXT_LINE_MAX 1000	/* bytes of a line: within every C library's BUFSIZ */
#define CONFTEXT_ENTRIES_MAX 256

struct conftext_entry {
	char *section; /* "WORD" or "WORD NAME"; NULL in front of the first one */
	char *key;
	unsigned line;
};

struct conftext {
	struct conftext_entry *items; /* in the order of the file */
	size_t n;
};

/*
 * Reads `len` bytes of text. 0 with *ret, to be ended by conftext_done(); -ENOMEM; or -EBADMSG where a line is none of
 * those that config.5 allows, with *ret_line and *ret_why, a static sentence.
 */
int conftext_parse(const char *text, size_t len, struct conftext *ret, unsigned *ret_line,
		   const char **ret_why);

void conftext_done(struct conftext *c);

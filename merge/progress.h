/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What long work shows on a terminal: one line on stderr with a bar, which is gone afterwards (specs: cli.progress). */
#pragma once

#include "base.h"

#define PROGRESS_LINE_MAX 1024 /* bytes, NUL included */

/* What a line says. */
struct progress_state {
	const char *what;      /* a name from outside; is escaped */
	uint64_t done, total;  /* bytes, done <= total */
	uint64_t milliseconds; /* since the beginning */
	unsigned columns;      /* of the terminal */
	bool utf8;
};

/*
 * Writes the line, without a line feed and without control characters, and returns how many columns it takes:
 * fewer than the terminal has. 0 where the terminal is too narrow to say anything. Pure.
 */
unsigned progress_format(const struct progress_state *s,
			 char ret[static PROGRESS_LINE_MAX]);

struct progress {
	const char *what; /* borrowed */
	uint64_t started,
		drawn; /* milliseconds of the monotonic clock; 0: nothing is drawn yet */
	unsigned columns; /* that the last line took */
	bool is_wanted;
};

/* Whether it is time for another line, at `now` of the monotonic clock: neither at once nor all the time. Pure. */
bool progress_is_due(const struct progress *p, uint64_t now);

/*
 * Whether anything will be shown depends on stderr: only a terminal that is not "dumb", and not with --quiet. Short
 * work shows nothing.
 */
void progress_begin(struct progress *p, const char *what);
void progress_show(struct progress *p, uint64_t done, uint64_t total);

/* Leaves an empty line behind; what is logged next starts in its first column. */
void progress_end(struct progress *p);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tables and trees for people, on stdout. */
#pragma once

#include "options.h"

struct table;
struct table_line;

enum table_flags {
	TABLE_RIGHT = 1, /* numbers */
	TABLE_TREE = 2,	 /* lines with a parent hang from it; the first column only */
};

struct table_column {
	const char *name;
	unsigned flags;
};

/* A table with these columns, up to one without a name. NULL where memory ran out. */
struct table *table_new(const struct options *o, const struct table_column *columns);

/*
 * A line; of a tree below `parent`, which has none itself, and behind all that hangs from that. NULL where memory ran out; that is
 * said when the table is printed.
 */
struct table_line *table_add(struct table *t, struct table_line *parent);

/* Fills in a cell; NULL leaves it empty. What must not reach a terminal is escaped (cli.escape). */
void table_set(struct table_line *line, size_t column, const char *text);

/* The same with a size; 0 leaves it empty. */
void table_set_size(struct table_line *line, size_t column, uint64_t bytes);

/*
 * The text of it (cli.table). `width` is that of the terminal: empty columns are left out, and what does not fit stands below its line. 0:
 * there is none, and all columns are there. NULL where memory ran out.
 */
char *table_format(struct table *t, size_t width);

/* Prints it, unless it has no line, and frees it. */
void table_print(struct table *t);
void table_free(struct table *t);

/* Characters and times as the environment says: only where something is printed that depends on it. */
void table_use_locale(void);

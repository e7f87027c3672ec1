/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tables and trees for people, on stdout. libsmartcols is loaded for the first one: a merge at boot prints none. */
#pragma once

#include "options.h"

struct libscols_table;
struct libscols_line;

struct table_column {
	const char *name;
	int flags; /* SCOLS_FL_* of libsmartcols */
};

/* A table with these columns, up to one without a name; lines in UTF-8 where the locale has it. NULL where memory ran out. */
struct libscols_table *table_new(const struct options *o,
				 const struct table_column *columns);

/* A line, below `parent` if there is one. NULL where memory ran out; that is said when the table is printed. */
struct libscols_line *table_add(struct libscols_table *t, struct libscols_line *parent);

/* Fills in a cell; NULL leaves it empty. Control characters are escaped. */
void table_set(struct libscols_line *line, size_t column, const char *text);

/* The same with a size; 0 leaves it empty. */
void table_set_size(struct libscols_line *line, size_t column, uint64_t bytes);

/* Prints it, unless it has no line, and frees it. */
void table_print(struct libscols_table *t);
void table_free(struct libscols_table *t);

/* Characters and times as the environment says: only where something is printed that depends on it. */
void table_use_locale(void);

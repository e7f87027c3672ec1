/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tables and trees by libsmartcols. */
#include "table.h"

#include <langinfo.h>
#include <libsmartcols.h>
#include <locale.h>
#include <string.h>

#include "library.h"
#include "log.h"
#include "text.h"

LIBRARY(smartcols, "libsmartcols.so.1", "recommended", "prints tables");

#define scols_line_set_data LIBRARY_CALL(smartcols, scols_line_set_data)
#define scols_new_table LIBRARY_CALL(smartcols, scols_new_table)
#define scols_print_table LIBRARY_CALL(smartcols, scols_print_table)
#define scols_table_enable_ascii LIBRARY_CALL(smartcols, scols_table_enable_ascii)
#define scols_table_enable_noheadings \
	LIBRARY_CALL(smartcols, scols_table_enable_noheadings)
#define scols_table_is_empty LIBRARY_CALL(smartcols, scols_table_is_empty)
#define scols_table_new_column LIBRARY_CALL(smartcols, scols_table_new_column)
#define scols_table_new_line LIBRARY_CALL(smartcols, scols_table_new_line)
#define scols_unref_table LIBRARY_CALL(smartcols, scols_unref_table)

/* Of a locale only these two are used: to read it takes as long as to mount an image. */
void table_use_locale(void) {
	static bool is_used;

	if (is_used)
		return;
	setlocale(LC_CTYPE, "");
	setlocale(LC_TIME, "");
	is_used = true;
}

struct libscols_table *table_new(const struct options *o,
				 const struct table_column *columns) {
	struct libscols_table *t = scols_new_table();

	table_use_locale();
	if (!t)
		return NULL;
	scols_table_enable_noheadings(t, !o->legend);
	if (strcmp(nl_langinfo(CODESET), "UTF-8") != 0)
		scols_table_enable_ascii(t, 1);
	for (; columns->name; columns++)
		if (!scols_table_new_column(t, columns->name, 0, columns->flags)) {
			scols_unref_table(t);
			return NULL;
		}
	return t;
}

struct libscols_line *table_add(struct libscols_table *t, struct libscols_line *parent) {
	return scols_table_new_line(t, parent);
}

void table_set(struct libscols_line *line, size_t column, const char *text) {
	if (line && text && scols_line_set_data(line, column, text) != 0)
		log_error("Cannot print a table: out of memory");
}

void table_set_size(struct libscols_line *line, size_t column, uint64_t bytes) {
	char size[8];

	text_size(bytes, size);
	table_set(line, column, bytes ? size : NULL);
}

void table_print(struct libscols_table *t) {
	if (!t || (!scols_table_is_empty(t) && scols_print_table(t) != 0))
		log_error("Cannot print a table: out of memory");
	scols_unref_table(t);
}

void table_free(struct libscols_table *t) {
	scols_unref_table(t);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tables and trees by libsmartcols; what does not fit the terminal is put below their lines. */
#include "table.h"

#include <langinfo.h>
#include <libsmartcols.h>
#include <locale.h>
#include <string.h>
#include <sys/ioctl.h>
#include <wchar.h>

#include "library.h"
#include "log.h"
#include "text.h"

LIBRARY(smartcols, "libsmartcols.so.1", "recommended", "prints tables");

#define scols_column_set_flags LIBRARY_CALL(smartcols, scols_column_set_flags)
#define scols_line_set_data LIBRARY_CALL(smartcols, scols_line_set_data)
#define scols_new_table LIBRARY_CALL(smartcols, scols_new_table)
#define scols_print_table_to_string LIBRARY_CALL(smartcols, scols_print_table_to_string)
#define scols_table_enable_ascii LIBRARY_CALL(smartcols, scols_table_enable_ascii)
#define scols_table_enable_minout LIBRARY_CALL(smartcols, scols_table_enable_minout)
#define scols_table_enable_noencoding \
	LIBRARY_CALL(smartcols, scols_table_enable_noencoding)
#define scols_table_enable_noheadings \
	LIBRARY_CALL(smartcols, scols_table_enable_noheadings)
#define scols_table_get_column LIBRARY_CALL(smartcols, scols_table_get_column)
#define scols_table_new_column LIBRARY_CALL(smartcols, scols_table_new_column)
#define scols_table_new_line LIBRARY_CALL(smartcols, scols_table_new_line)
#define scols_table_set_termforce LIBRARY_CALL(smartcols, scols_table_set_termforce)
#define scols_unref_table LIBRARY_CALL(smartcols, scols_unref_table)

#define COLUMNS_MAX 12
#define INDENT 4 /* of what stands below its line */

struct table_line {
	struct table *table;
	const struct table_line *parent;
	struct libscols_line *row;
	char *cells[COLUMNS_MAX]; /* escaped; NULL: empty */
	struct table_line *next;
};

struct table {
	struct libscols_table *all;
	const struct table_column *columns;
	size_t n_columns;
	bool has_heading, is_utf8, has_failed;
	struct table_line *first, **last;
};

/* Of a locale only these two are used: to read it takes as long as to mount an image. */
void table_use_locale(void) {
	static bool is_used;

	if (is_used)
		return;
	setlocale(LC_CTYPE, "");
	setlocale(LC_TIME, "");
	is_used = true;
}

static int flags_of(const struct table_column *c) {
	return (c->flags & TABLE_RIGHT ? SCOLS_FL_RIGHT : 0) |
	       (c->flags & TABLE_TREE ? SCOLS_FL_TREE : 0);
}

struct table *table_new(const struct options *o, const struct table_column *columns) {
	struct table *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	table_use_locale();
	t->all = scols_new_table();
	t->columns = columns;
	t->has_heading = o->legend;
	t->is_utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
	t->last = &t->first;
	t->has_failed = !t->all;
	for (; !t->has_failed && columns->name && t->n_columns < COLUMNS_MAX; columns++) {
		t->has_failed = !scols_table_new_column(t->all, columns->name, 0,
							flags_of(columns));
		t->n_columns++;
	}
	if (t->has_failed)
		return t;
	scols_table_enable_noheadings(t->all, !o->legend);
	scols_table_enable_ascii(t->all, !t->is_utf8);
	/* Texts are escaped here, and broken here. */
	scols_table_enable_noencoding(t->all, 1);
	scols_table_enable_minout(t->all, 1);
	scols_table_set_termforce(t->all, SCOLS_TERMFORCE_NEVER);
	return t;
}

struct table_line *table_add(struct table *t, struct table_line *parent) {
	struct table_line *line = calloc(1, sizeof(*line));

	if (line && !t->has_failed)
		line->row = scols_table_new_line(t->all, parent ? parent->row : NULL);
	if (!line || !line->row) {
		t->has_failed = true;
		free(line);
		return NULL;
	}
	line->table = t;
	line->parent = parent;
	*t->last = line;
	t->last = &line->next;
	return line;
}

/* Bytes that are no ASCII may be commands where the terminal does not take them for UTF-8. */
static char *escape_bytes(const char *text) {
	char *out = malloc(strlen(text) * 4 + 1), *o = out;

	for (; out && *text; text++)
		if (*text & 0x80)
			o += sprintf(o, "\\x%02x", (unsigned char)*text);
		else
			*o++ = *text;
	if (out)
		*o = '\0';
	return out;
}

void table_set(struct table_line *line, size_t column, const char *text) {
	_cleanup_free_ char *escaped = NULL;
	struct table *t = line ? line->table : NULL;

	if (!t || !text || !*text || column >= t->n_columns)
		return;
	escaped = text_escape(text);
	free(line->cells[column]);
	line->cells[column] = !escaped || t->is_utf8 ? TAKE_PTR(escaped)
						     : escape_bytes(escaped);
	t->has_failed |= !line->cells[column] ||
			 scols_line_set_data(line->row, column, line->cells[column]) != 0;
}

void table_set_size(struct table_line *line, size_t column, uint64_t bytes) {
	char size[8];

	text_size(bytes, size);
	table_set(line, column, bytes ? size : NULL);
}

/* How many places of a terminal the text takes, up to the end of its line; it has been escaped. */
static size_t width_of(const char *text) {
	mbstate_t state = { 0 };
	size_t width = 0;

	while (text && *text && *text != '\n') {
		wchar_t c;
		size_t n = mbrtowc(&c, text, MB_CUR_MAX, &state);
		int places = n > 0 && n <= MB_CUR_MAX ? wcwidth(c) : -1;

		width += places < 0 ? 1 : (size_t)places;
		text += places < 0 ? 1 : n;
	}
	return width;
}

static size_t widest_line(const char *text) {
	size_t width = 0;

	for (; text && *text; text = strchr(text, '\n'), text += text != NULL) {
		size_t own = width_of(text);

		width = own > width ? own : width;
	}
	return width;
}

/* What stands in front of what is below a line. */
static const char *front_below(const struct table_line *l) {
	bool is_last = !l->next || l->next->parent != l->parent;

	return !l->parent ? "" : is_last ? "  " : l->table->is_utf8 ? "│ " : "| ";
}

static bool is_empty(const struct table *t, size_t column) {
	for (const struct table_line *l = t->first; l; l = l->next)
		if (l->cells[column])
			return false;
	return true;
}

static int hide(struct table *t, size_t column) {
	return scols_column_set_flags(scols_table_get_column(t->all, column),
				      flags_of(&t->columns[column]) | SCOLS_FL_HIDDEN);
}

/*
 * The lines of all columns that fit, for a terminal. The first of those that do not is *ret_n: they are hidden, from the last
 * one on, until the others fit. NULL where memory ran out.
 */
static char *print_columns(struct table *t, size_t width, size_t *ret_n) {
	size_t n = t->n_columns;
	char *text = NULL;
	int r = 0;

	for (size_t i = 1; r == 0 && width > 0 && i < n; i++)
		if (is_empty(t, i))
			r = hide(t, i);
	while (r == 0) {
		r = scols_print_table_to_string(t->all, &text);
		if (r != 0 || width == 0 || n <= 1 || widest_line(text) <= width)
			break;
		free(text);
		text = NULL;
		r = hide(t, --n);
	}
	*ret_n = n;
	return r == 0 ? text : NULL;
}

/* Words, as many in a line as there is room for; each line begins with `front` and an indentation. */
static void print_wrapped(FILE *f, const char *front, const char *text, size_t width) {
	const size_t start = width_of(front) + INDENT;
	size_t at = 0; /* where the line ends so far; 0: it has not begun */

	while (*text) {
		size_t blanks = strspn(text, " "), bytes = strcspn(text + blanks, " ");
		_cleanup_free_ char *word = strndup(text + blanks, bytes);
		size_t own = width_of(word);

		text += blanks + bytes;
		if (at > start && at + blanks + own > width) {
			fputc('\n', f);
			at = 0;
		}
		if (at == 0) {
			fprintf(f, "%s%*s", front, INDENT, "");
			at = start;
			blanks = 0;
		}
		fprintf(f, "%*s%s", (int)blanks, "", word ?: "");
		at += blanks + own;
	}
	fputc('\n', f);
}

static int print_below(FILE *f, const struct table_line *l, size_t n, size_t width) {
	_cleanup_free_ char *below = NULL;
	int r = text_join("  ", (const char *const *)l->cells + n,
			  l->table->n_columns - n, &below);

	if (below)
		print_wrapped(f, front_below(l), below, width);
	return r;
}

/* Copies a line, with its end. Returns what comes after it. */
static const char *print_line(FILE *f, const char *text) {
	size_t length = strcspn(text, "\n");

	fprintf(f, "%.*s\n", (int)length, text);
	return text + length + (text[length] == '\n');
}

char *table_format(struct table *t, size_t width) {
	size_t n = 0, size;
	_cleanup_free_ char *lines = t->has_failed ? NULL : print_columns(t, width, &n);
	const char *at = lines;
	char *text = NULL;
	int r = 0;
	FILE *f = lines ? open_memstream(&text, &size) : NULL;

	if (!f)
		return NULL;
	if (t->has_heading)
		at = print_line(f, at);
	for (const struct table_line *l = t->first; l && r == 0; l = l->next) {
		at = print_line(f, at);
		r = print_below(f, l, n, width);
	}
	if (fclose(f) == 0 && r == 0)
		return text;
	free(text);
	return NULL;
}

/* 0 where stdout is no terminal. */
static size_t terminal_width(void) {
	struct winsize size;

	if (!isatty(STDOUT_FILENO))
		return 0;
	return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0
		       ? size.ws_col
		       : 80;
}

void table_print(struct table *t) {
	_cleanup_free_ char *text = NULL;

	if (t && !t->first) {
		table_free(t);
		return;
	}
	text = t ? table_format(t, terminal_width()) : NULL;
	if (text)
		fputs(text, stdout);
	else
		log_error("Cannot print a table: out of memory");
	table_free(t);
}

void table_free(struct table *t) {
	struct table_line *l = t ? t->first : NULL;

	while (l) {
		struct table_line *next = l->next;

		for (size_t i = 0; i < COLUMNS_MAX; i++)
			free(l->cells[i]);
		free(l);
		l = next;
	}
	if (t && t->all)
		scols_unref_table(t->all);
	free(t);
}

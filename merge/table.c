/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tables and trees. */
#include "table.h"

#include <langinfo.h>
#include <locale.h>
#include <string.h>
#include <sys/ioctl.h>
#include <wchar.h>

#include "log.h"
#include "text.h"

#define COLUMNS_MAX 12
#define INDENT 4 /* of what stands below its line */

struct table_line {
	struct table *table;
	const struct table_line *parent;
	char *cells[COLUMNS_MAX]; /* escaped; NULL: empty */
	struct table_line *next;
};

struct table {
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

struct table *table_new(const struct options *o, const struct table_column *columns) {
	struct table *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	table_use_locale();
	t->columns = columns;
	t->has_heading = o->legend;
	t->is_utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
	t->last = &t->first;
	while (columns[t->n_columns].name && t->n_columns < COLUMNS_MAX)
		t->n_columns++;
	return t;
}

struct table_line *table_add(struct table *t, struct table_line *parent) {
	struct table_line *line = calloc(1, sizeof(*line));

	if (!line) {
		t->has_failed = true;
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
	t->has_failed |= !line->cells[column];
}

void table_set_size(struct table_line *line, size_t column, uint64_t bytes) {
	char size[8];

	text_size(bytes, size);
	table_set(line, column, bytes ? size : NULL);
}

/* How many places of a terminal the text takes; it has been escaped. */
static size_t width_of(const char *text) {
	mbstate_t state = { 0 };
	size_t width = 0;

	while (text && *text) {
		wchar_t c;
		size_t n = mbrtowc(&c, text, MB_CUR_MAX, &state);
		int places = n > 0 && n <= MB_CUR_MAX ? wcwidth(c) : -1;

		width += places < 0 ? 1 : (size_t)places;
		text += places < 0 ? 1 : n;
	}
	return width;
}

static bool is_last_child(const struct table_line *line) {
	return !line->next || line->next->parent != line->parent;
}

/* What stands in front of a line, or of what is below it. */
static const char *branch(const struct table *t, const struct table_line *line,
			  bool is_below) {
	static const char *const utf8[] = { "├─", "└─", "│ ", "  " }, *const ascii[] = {
		"|-", "`-", "| ", "  "
	};

	if (!line->parent)
		return "";
	return (t->is_utf8 ? utf8 : ascii)[is_below * 2 + is_last_child(line)];
}

/* The widths of the columns; 0 for one that is not shown beside the others. */
struct layout {
	size_t widths[COLUMNS_MAX];
	size_t n; /* those from here on stand below their lines */
};

static size_t measure_column(const struct table *t, size_t column, bool must_have_text) {
	size_t width = t->has_heading ? width_of(t->columns[column].name) : 0;
	bool has_text = !must_have_text;

	for (const struct table_line *l = t->first; l; l = l->next) {
		size_t own = width_of(l->cells[column]);

		has_text |= own > 0;
		if (t->columns[column].flags & TABLE_TREE)
			own += width_of(branch(t, l, false));
		width = own > width ? own : width;
	}
	return has_text ? width : 0;
}

static struct layout lay_out(const struct table *t, size_t width) {
	struct layout layout = { .n = t->n_columns };
	size_t total = 0;

	for (size_t i = 0; i < t->n_columns; i++) {
		layout.widths[i] = measure_column(t, i, width > 0);
		total += layout.widths[i] + (i > 0 && layout.widths[i] > 0);
	}
	while (width > 0 && total > width && layout.n > 1) {
		layout.n--;
		total -= layout.widths[layout.n] + (layout.widths[layout.n] > 0);
	}
	return layout;
}

static void pad(FILE *f, size_t n) {
	fprintf(f, "%*s", (int)n, "");
}

/* Blanks come before a cell that has a text, so none are left at the end. */
static void print_cells(FILE *f, const struct table *t, const struct layout *layout,
			const char *front, const char *const *cells) {
	size_t due = 0;

	for (size_t i = 0; i < layout->n; i++) {
		const char *text = cells[i] ?: "";
		bool has_front = t->columns[i].flags & TABLE_TREE;
		size_t own = width_of(text) + (has_front ? width_of(front) : 0);
		size_t rest = layout->widths[i] > own ? layout->widths[i] - own : 0;

		if (layout->widths[i] == 0)
			continue;
		if (own > 0) {
			pad(f, due + (t->columns[i].flags & TABLE_RIGHT ? rest : 0));
			fprintf(f, "%s%s", has_front ? front : "", text);
			due = t->columns[i].flags & TABLE_RIGHT ? 0 : rest;
		} else {
			due += layout->widths[i];
		}
		due++;
	}
	fputc('\n', f);
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

static int print_line(FILE *f, const struct table_line *l, const struct layout *layout,
		      size_t width) {
	const struct table *t = l->table;
	_cleanup_free_ char *below = NULL;
	int r;

	print_cells(f, t, layout, branch(t, l, false), (const char *const *)l->cells);
	r = text_join("  ", (const char *const *)l->cells + layout->n,
		      t->n_columns - layout->n, &below);
	if (below)
		print_wrapped(f, branch(t, l, true), below, width);
	return r;
}

char *table_format(struct table *t, size_t width) {
	const struct layout layout = lay_out(t, width);
	const char *names[COLUMNS_MAX] = { NULL };
	char *text = NULL;
	size_t size;
	int r = 0;
	FILE *f = t->has_failed ? NULL : open_memstream(&text, &size);

	if (!f)
		return NULL;
	for (size_t i = 0; i < t->n_columns; i++)
		names[i] = t->columns[i].name;
	if (t->has_heading)
		print_cells(f, t, &layout, "", names);
	for (const struct table_line *l = t->first; l && r == 0; l = l->next)
		r = print_line(f, l, &layout, width);
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
	free(t);
}

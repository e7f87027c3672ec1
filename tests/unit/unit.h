/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What every unit test needs: a way to run, and rows of the tables in specs/. */
#pragma once

#include <check.h>
#include <string.h>

#include "merge/base.h"

#define UNIT_CELLS_MAX 12

/* Cells between tabs. "''" is the empty string; \n, \t, \r, \\ and \xHH escape. */
struct unit_row {
	const char *file;
	unsigned line;
	char *cells[UNIT_CELLS_MAX];
};

/* Runs the suite as the environment says (CK_*) and returns main()'s result. */
static inline int unit_run(Suite *suite) {
	SRunner *runner = srunner_create(suite);
	int failed;

	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed > 0;
}

/* A suite of plain tests; `tests` ends with NULL. */
static inline int unit_main(const char *name, const TTest *const *tests) {
	Suite *suite = suite_create(name);
	TCase *tcase = tcase_create(name);

	for (; *tests; tests++)
		tcase_add_test(tcase, *tests);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}

/* "-" stands for NULL. */
static inline const char *unit_null(const char *cell) {
	return strcmp(cell, "-") == 0 ? NULL : cell;
}

static inline void unit_unescape(char *cell) {
	static const char from[] = "ntr\\", to[] = "\n\t\r\\";
	char *out = cell;

	if (strcmp(cell, "''") == 0)
		*cell = '\0';
	for (const char *in = cell; *in; in++) {
		unsigned byte;

		if (*in != '\\') {
			*out++ = *in;
		} else if (in[1] == 'x' && sscanf(in + 2, "%2x", &byte) == 1) {
			*out++ = (char)byte;
			in += 3;
		} else {
			ck_assert_msg(in[1] && strchr(from, in[1]), "bad escape in '%s'",
				      cell);
			*out++ = to[strchr(from, *++in) - from];
		}
	}
	*out = '\0';
}

/* Calls `check` for each row, of `n` cells, of `file` in $SPECS_DIR. */
static inline void unit_each_row(const char *file, size_t n,
				 void (*check)(const struct unit_row *row)) {
	const char *dir = getenv("SPECS_DIR") ?: "specs";
	_cleanup_free_ char *path = NULL, *line = NULL;
	_cleanup_fclose_ FILE *f = NULL;
	struct unit_row row = { .file = file };
	unsigned rows = 0;
	size_t size = 0;

	ck_assert_int_gt(asprintf(&path, "%s/%s", dir, file), 0);
	f = fopen(path, "re");
	ck_assert_msg(f, "cannot open '%s'", path);
	while (getline(&line, &size, f) > 0) {
		char *rest = line;
		size_t cells = 0;

		row.line++;
		line[strcspn(line, "\n")] = '\0';
		if (line[0] == '#' || line[0] == '\0')
			continue;
		while (rest && cells < UNIT_CELLS_MAX)
			row.cells[cells++] = strsep(&rest, "\t");
		ck_assert_msg(!rest && cells == n, "%s:%u: not %zu cells", file, row.line,
			      n);
		for (size_t i = 0; i < n; i++)
			unit_unescape(row.cells[i]);
		check(&row);
		rows++;
	}
	ck_assert_uint_gt(rows, 0);
}

/* Fails with the row's place: `what` must hold. */
#define unit_assert_row(row, what, ...)                                            \
	do {                                                                       \
		_cleanup_free_ char *_said = NULL;                                 \
		ck_assert_int_ge(asprintf(&_said, __VA_ARGS__), 0);                \
		ck_assert_msg(what, "%s:%u: %s", (row)->file, (row)->line, _said); \
	} while (0)

/* Whether both are NULL or the same text. */
static inline bool unit_same(const char *a, const char *b) {
	return a && b ? strcmp(a, b) == 0 : a == b;
}

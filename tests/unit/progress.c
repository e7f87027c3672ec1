/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The line of a progress bar, at every width and stage (specs: cli.progress). */

#include "merge/progress.h"
#include "unit.h"

static const struct {
	struct progress_state s;
	const char *line; /* NULL: none */
} cases[] = {
	{ { "a.raw", 0, 100, 600, 80, false },
	  "a.raw  ..............................    0%     0B/s  hours left" },
	{ { "a.raw", 512 << 20, 1024 << 20, 1000, 80, false },
	  "a.raw  ###############...............   50%   512M/s  0:01 left" },
	{ { "a.raw", 1 << 20, 1024 << 20, 1000, 80, false },
	  "a.raw  ..............................    0%   1.0M/s  17:03 left" },
	{ { "a.raw", 1 << 20, 1 << 30, 10000, 80, false },
	  "a.raw  ..............................    0%   102K/s  2:50:30 left" },
	{ { "a.raw", 1, 1, 0, 80, false },
	  "a.raw  ##############################  100%  1000B/s  0:00 left" },
	{ { "a.raw", 3, 4, 1000, 52, true },
	  "a.raw  █████████░░░░   75%     3B/s  0:00 left" },
	{ { "a.raw", 3, 4, 1000, 51, true }, NULL },
	{ { "a.raw", 0, 0, 1000, 0, true }, NULL },
	{ { "long-name-of-an-image.raw", 1, 2, 1000, 52, false },
	  "long-nam  #####.....   50%     1B/s  0:01 left" },
	{ { "a\nb\x1b[31m.raw", 1, 2, 1000, 80, false },
	  "a\\x0ab\\x1b[31m.raw  ##############..............   50%     1B/s  0:01 left" },
	{ { "größe.raw", 1, 2, 1000, 52, false },
	  "größe.  #####.....   50%     1B/s  0:01 left" },
};

START_TEST(line_says_it) {
	char line[PROGRESS_LINE_MAX] = "untouched";
	unsigned columns = progress_format(&cases[_i].s, line);

	ck_assert_str_eq(line, cases[_i].line ?: "untouched");
	ck_assert_uint_eq(columns == 0, cases[_i].line == NULL);
}
END_TEST

/* However long the name is, and however long it takes, the line fits. */
START_TEST(line_fits) {
	char name[600], line[PROGRESS_LINE_MAX];

	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	for (unsigned columns = 0; columns < 1000; columns++)
		for (unsigned i = 0; i < 5; i++) {
			const struct progress_state s = {
				.what = i & 1 ? name : "äöü",
				.done = UINT64_MAX / (1 + i * i * 1000),
				.total = UINT64_MAX,
				.milliseconds = i * UINT64_C(100000000000),
				.columns = columns,
				.utf8 = i & 2,
			};
			unsigned used = progress_format(&s, line);

			ck_assert_uint_lt(used, columns ?: 1);
			ck_assert(used == 0 || strlen(line) < sizeof(line));
		}
}
END_TEST

/* Short work shows nothing, and a terminal is not flooded. */
START_TEST(time_is_due) {
	struct progress p = { .started = 1000 };

	ck_assert(!progress_is_due(&p, 1000));
	ck_assert(!progress_is_due(&p, 1499));
	ck_assert(progress_is_due(&p, 1500));
	p.drawn = 1500;
	ck_assert(!progress_is_due(&p, 1599));
	ck_assert(progress_is_due(&p, 1600));
}
END_TEST

int main(void) {
	Suite *s = suite_create("progress");
	TCase *t = tcase_create("progress");

	tcase_add_loop_test(t, line_says_it, 0, ARRAY_SIZE(cases));
	tcase_add_test(t, line_fits);
	tcase_add_test(t, time_is_due);
	suite_add_tcase(s, t);
	return unit_run(s);
}

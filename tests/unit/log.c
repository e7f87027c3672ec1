/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Proves what is said at which level, and that it goes to stderr. */
#include "merge/log.h"

#include <fcntl.h>

#include "unit.h"

#define ERROR "extmerge: error: no 'a' 1%\n"
#define NORMAL "extmerge: warning: b\n  hint: c\nd\n"
#define DETAIL "  e\n"

static const struct {
	int level; /* -1 for none set */
	const char *said;
} cases[] = {
	{ -1, ERROR NORMAL },
	{ LOG_QUIET, ERROR },
	{ LOG_NORMAL, ERROR NORMAL },
	{ LOG_VERBOSE, ERROR NORMAL DETAIL },
};

static void say_all(void) {
	log_error("no '%s' %d%%", "a", 1);
	log_warning("%s", "b");
	log_hint("%s", "c");
	log_notice("%s", "d");
	log_detail("%s", "e");
}

START_TEST(levels) {
	_cleanup_close_ int kept = dup(STDERR_FILENO);
	_cleanup_fclose_ FILE *said = tmpfile();
	char text[256] = "";

	ck_assert_ptr_nonnull(said);
	if (cases[_i].level >= 0)
		log_set_level(cases[_i].level);
	dup2(fileno(said), STDERR_FILENO);
	say_all();
	fflush(stderr);
	dup2(kept, STDERR_FILENO);
	ck_assert_int_ge(pread(fileno(said), text, sizeof(text) - 1, 0), 0);
	ck_assert_str_eq(text, cases[_i].said);
}
END_TEST

int main(void) {
	Suite *s = suite_create("log");
	TCase *t = tcase_create("log");

	tcase_add_loop_test(t, levels, 0, ARRAY_SIZE(cases));
	suite_add_tcase(s, t);
	return unit_run(s);
}

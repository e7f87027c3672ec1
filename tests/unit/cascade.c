/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which file of which directory counts for a name; what may not be used is in certs.c and config.c (specs: config.2). */
#include "merge/cascade.h"

#include "merge/file.h"
#include "scratch.h"
#include "unit.h"

static const char *const directories[] = { "etc", "run", "usr", NULL };

static void setup(void) {
	scratch_setup();
	for (size_t i = 0; directories[i]; i++)
		scratch_mkdir(directories[i]);
}

/* "/etc/a", "mask /etc/a" or "/etc/a: why" for each item, with blanks between. */
static void check(const struct cascade *c, const char *expected) {
	char said[512] = "";

	for (size_t i = 0; i < c->n; i++) {
		const struct cascade_file *f = &c->items[i];

		sprintf(said + strlen(said), "%s%s%s%s%s", i ? " " : "",
			f->is_mask ? "mask " : "", f->path, f->why ? ": " : "",
			f->why ?: "");
		ck_assert(f->fd >= 0 ? !f->is_mask && !f->why : f->is_mask || f->why);
	}
	ck_assert_str_eq(said, expected);
}

static void check_find(const char *name, const char *expected) {
	_cleanup_(cascade_done) struct cascade c = { 0 };

	ck_assert_int_eq(cascade_find(scratch_fd, directories, name, &c), 0);
	check(&c, expected);
}

static void check_list(const char *expected) {
	_cleanup_(cascade_done) struct cascade c = { 0 };

	ck_assert_int_eq(cascade_list(scratch_fd, directories, ".x", &c), 0);
	check(&c, expected);
}

START_TEST(nothing_is_found) {
	check_find("a.x", "");
	check_list("");
	scratch_write("etc/a", "a");
	scratch_write("etc/.a.x", "a");
	scratch_write("etc/.x", "a");
	check_list("");
}
END_TEST

START_TEST(best_directory_counts) {
	scratch_write("usr/a.x", "usr");
	check_find("a.x", "/usr/a.x");
	scratch_write("run/a.x", "run");
	check_find("a.x", "/run/a.x");
	scratch_write("etc/a.x", "etc");
	check_find("a.x", "/etc/a.x");
	check_list("/etc/a.x");
	scratch_write("etc/a.x", "");
	check_find("a.x", "mask /etc/a.x");
	check_list("mask /etc/a.x");
}
END_TEST

START_TEST(names_are_sorted) {
	scratch_write("etc/c.x", "c");
	scratch_write("run/a.x", "a");
	scratch_link("/dev/null", "run/b.x");
	scratch_write("usr/b.x", "b");
	scratch_write("usr/d.x", "d");
	check_list("/run/a.x mask /run/b.x /etc/c.x /usr/d.x");
}
END_TEST

/* What cannot be there, as something above it is a file, is no problem; what is there and no directory is one. */
START_TEST(file_in_the_way) {
	static const char *const below[] = { "etc/file/conf.d", NULL };
	static const char *const at[] = { "etc/file", NULL };
	_cleanup_(cascade_done) struct cascade none = { 0 }, one = { 0 }, found = { 0 };

	scratch_write("etc/file", "file");
	ck_assert_int_eq(cascade_list(scratch_fd, below, ".x", &none), 0);
	check(&none, "");
	ck_assert_int_eq(cascade_list(scratch_fd, at, ".x", &one), 0);
	check(&one, "/etc/file: it cannot be read: Not a directory");
	ck_assert_int_eq(cascade_find(scratch_fd, at, "a.x", &found), 0);
	check(&found, "");
}
END_TEST

/* What lies there counts, also where it is of no use. */
START_TEST(unusable_counts) {
	scratch_write("usr/a.x", "usr");
	scratch_link("/nowhere", "etc/a.x");
	check_find("a.x", "/etc/a.x: it cannot be read: No such file or directory");
	check_list("/etc/a.x: it cannot be read: No such file or directory");
	ck_assert_int_eq(fchmodat(scratch_fd, "etc", 0777, 0), 0);
	check_find("a.x", "/etc: it can be written by everybody");
	check_list("/etc: it can be written by everybody /usr/a.x");
	/* a directory in which nothing lies has no say */
	check_find("b.x", "");
}
END_TEST

START_TEST(file_can_be_read) {
	_cleanup_(cascade_done) struct cascade c = { 0 };
	_cleanup_close_ int fd = -EBADF;
	_cleanup_free_ char *text = NULL;
	size_t len;

	scratch_write("usr/real", "text");
	scratch_link("/usr/real", "etc/a.x");
	ck_assert_int_eq(cascade_find(scratch_fd, directories, "a.x", &c), 0);
	ck_assert_uint_eq(c.n, 1);
	ck_assert_int_eq(c.items[0].st.st_size, 4);
	fd = file_reopen(c.items[0].fd, O_RDONLY);
	ck_assert_int_eq(file_read(fd, 16, &text, &len), 0);
	ck_assert_str_eq(text, "text");
}
END_TEST

int main(void) {
	const TTest *const tests[] = { nothing_is_found, best_directory_counts,
				       names_are_sorted, file_in_the_way,
				       unusable_counts,	 file_can_be_read };
	Suite *s = suite_create("cascade");

	for (size_t i = 0; i < ARRAY_SIZE(tests); i++) {
		TCase *t = tcase_create("cascade");

		tcase_add_unchecked_fixture(t, setup, scratch_teardown);
		tcase_add_test(t, tests[i]);
		suite_add_tcase(s, t);
	}
	return unit_run(s);
}

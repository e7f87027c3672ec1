/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A new file is there whole, under its name, or not at all (specs: pack.15). */

#include <dirent.h>

#include "merge/newfile.h"
#include "merge/text.h"
#include "scratch.h"
#include "unit.h"

static char *path_of(const char *name) {
	return text_format("%s/%s", scratch_path, name);
}

static struct newfile open_new(const char *name, const char *text) {
	_cleanup_free_ char *path = path_of(name);
	struct newfile f = NEWFILE_NONE;

	ck_assert_int_eq(newfile_open(path, &f), 0);
	ck_assert_int_eq(write(f.fd, text, strlen(text)), (ssize_t)strlen(text));
	return f;
}

static void expect(const char *name, const char *text) {
	_cleanup_close_ int fd = scratch_open(name, O_RDONLY);
	char got[64] = "";

	ck_assert_int_ge(read(fd, got, sizeof(got) - 1), 0);
	ck_assert_str_eq(got, text);
}

static unsigned count_entries(void) {
	DIR *d = opendir(scratch_path);
	unsigned n = 0;

	while (readdir(d))
		n++;
	closedir(d);
	return n - 2;
}

START_TEST(appears_whole) {
	struct newfile f = open_new("a", "text");
	struct stat st;

	ck_assert_int_lt(fstatat(scratch_fd, "a", &st, 0), 0);
	ck_assert_int_eq(newfile_publish(&f, false), 0);
	newfile_done(&f);
	expect("a", "text");
	ck_assert_int_eq(fstatat(scratch_fd, "a", &st, 0), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0644);
	ck_assert_uint_eq(count_entries(), 1);
}
END_TEST

START_TEST(replaces_only_if_told) {
	struct newfile f = open_new("b", "new");

	scratch_write("b", "old");
	ck_assert_int_eq(newfile_publish(&f, false), -EEXIST);
	expect("b", "old");
	ck_assert_int_eq(newfile_publish(&f, true), 0);
	newfile_done(&f);
	expect("b", "new");
	ck_assert_uint_eq(count_entries(), 1);
}
END_TEST

START_TEST(is_gone_unpublished) {
	struct newfile f = open_new("c", "text");

	newfile_done(&f);
	ck_assert_uint_eq(count_entries(), 0);
}
END_TEST

START_TEST(nowhere_to_go) {
	_cleanup_free_ char *missing = path_of("missing/d"), *slash = path_of("");
	struct newfile f = NEWFILE_NONE;

	ck_assert_int_eq(newfile_open(missing, &f), -ENOENT);
	ck_assert_int_eq(newfile_open(slash, &f), -EISDIR);
	ck_assert_int_eq(f.fd, -EBADF);
}
END_TEST

int main(void) {
	Suite *s = suite_create("newfile");
	TCase *t = tcase_create("newfile");

	tcase_add_checked_fixture(t, scratch_setup, scratch_teardown);
	tcase_add_test(t, appears_whole);
	tcase_add_test(t, replaces_only_if_told);
	tcase_add_test(t, is_gone_unpublished);
	tcase_add_test(t, nowhere_to_go);
	suite_add_tcase(s, t);
	return unit_run(s);
}

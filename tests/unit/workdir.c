/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Directories that go, whatever has been put into them (specs: mutable.8, written.5). */
#include "merge/workdir.h"

#include "merge/text.h"
#include "scratch.h"
#include "unit.h"

#define DEPTH 140
#define FILES 300

static bool is_there(const char *path) {
	struct stat st;

	return fstatat(scratch_fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

static int dig(int fd, const char *name) {
	int deeper;

	ck_assert_int_eq(mkdirat(fd, name, 0755), 0);
	deeper = openat(fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ge(deeper, 0);
	close(fd);
	return deeper;
}

START_TEST(deep_ones_go) {
	int fd = dig(openat(scratch_fd, ".", O_RDONLY | O_DIRECTORY), "deep");

	/* Names as those that it gives itself are among them. */
	for (unsigned i = 0; i < DEPTH; i++) {
		ck_assert_int_eq(mkdirat(fd, "beside", 0755), 0);
		fd = dig(fd, i % 3 ? ".extmerge-0" : "a");
	}
	close(fd);
	ck_assert_int_eq(workdir_remove(scratch_fd, "deep"), 0);
	ck_assert(!is_there("deep"));
}
END_TEST

START_TEST(long_ones_go) {
	int fd = dig(openat(scratch_fd, ".", O_RDONLY | O_DIRECTORY), "long");

	for (unsigned i = 0; i < FILES; i++) {
		_cleanup_free_ char *name = text_format("file-%u", i);
		_cleanup_close_ int file = openat(fd, name, O_WRONLY | O_CREAT, 0600);

		ck_assert_int_ge(file, 0);
	}
	close(fd);
	ck_assert_int_eq(workdir_remove(scratch_fd, "long"), 0);
	ck_assert(!is_there("long"));
}
END_TEST

START_TEST(links_are_not_followed) {
	scratch_mkdir("kept");
	scratch_write("kept/file", "x");
	scratch_mkdir("gone");
	scratch_link("../kept", "gone/link");
	scratch_link("kept", "link");
	ck_assert_int_eq(workdir_remove(scratch_fd, "gone"), 0);
	ck_assert_int_eq(workdir_remove(scratch_fd, "link"), 0);
	ck_assert(!is_there("gone") && !is_there("link") && is_there("kept/file"));
	ck_assert_int_eq(workdir_remove(scratch_fd, "absent"), 0);
}
END_TEST

START_TEST(ours_are_swept) {
	_cleanup_free_ char *first = NULL, *second = NULL;

	scratch_mkdir(".opt.extmerge-work-x");
	ck_assert_int_eq(workdir_make(scratch_fd, "opt", &first), 0);
	ck_assert_int_eq(workdir_make(scratch_fd, "opt", &second), 0);
	ck_assert_str_ne(first, second);
	ck_assert_int_eq(workdir_sweep(scratch_fd, "opt", second), 1);
	ck_assert(!is_there(first) && is_there(second) &&
		  is_there(".opt.extmerge-work-x"));
}
END_TEST

int main(void) {
	const TTest *const tests[] = { deep_ones_go, long_ones_go, links_are_not_followed,
				       ours_are_swept };
	Suite *s = suite_create("workdir");

	/* Each has a tree of its own, which is gone afterwards. */
	for (size_t i = 0; i < ARRAY_SIZE(tests); i++) {
		TCase *t = tcase_create("workdir");

		tcase_add_unchecked_fixture(t, scratch_setup, scratch_teardown);
		tcase_add_test(t, tests[i]);
		suite_add_tcase(s, t);
	}
	return unit_run(s);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Proves that no path leads out of its root, and that nothing is read without a limit. */
#include "merge/file.h"

#include "merge/strv.h"
#include "scratch.h"
#include "unit.h"

/* The tree: root/ with what is opened, beside it the outside that must stay out. */
static void setup(void) {
	scratch_setup();
	scratch_write("outside", "outside");
	scratch_mkdir("root");
	scratch_mkdir("root/dir");
	scratch_mkdir("root/dir/sub");
	scratch_write("root/inside", "inside");
	scratch_write("root/outside", "decoy");
	scratch_write("root/dir/file", "file");
	scratch_link("inside", "root/relative");
	scratch_link("/inside", "root/absolute");
	scratch_link("/dir", "root/absolute-dir");
	scratch_link("../../../../outside", "root/up");
	scratch_link("../../../../../outside", "root/dir/up");
	scratch_link("/outside", "root/dir/absolute");
	scratch_link("loop", "root/loop");
	scratch_link("nowhere", "root/dangling");
	scratch_link("/proc/self/root/outside", "root/to-proc");
	ck_assert_int_eq(mkfifoat(scratch_fd, "root/fifo", 0644), 0);
}

static void check_content(int fd, const char *expected) {
	_cleanup_free_ char *text = NULL;
	size_t len;

	ck_assert_int_eq(file_read(fd, 100, &text, &len), 0);
	ck_assert_str_eq(text, expected);
	ck_assert_uint_eq(len, strlen(expected));
}

static const struct {
	const char *path;
	int in, exact;	     /* the error of each way to open it, or 0 */
	const char *content; /* what stands there, if there is no error */
} paths[] = {
	{ "inside", 0, 0, "inside" },
	{ "dir/file", 0, 0, "file" },
	{ "dir//file", 0, 0, "file" },
	{ "./inside", 0, 0, "inside" },
	{ "dir/../inside", 0, 0, "inside" },
	{ "nowhere", -ENOENT, -ENOENT, NULL },
	{ "inside/file", -ENOTDIR, -ENOTDIR, NULL },
	/* Absolute and upward: the root is "/", and nothing is above it. */
	{ "/inside", 0, -EXDEV, "inside" },
	{ "../inside", 0, -EXDEV, "inside" },
	{ "../../outside", 0, -EXDEV, "decoy" },
	{ "dir/../../../outside", 0, -EXDEV, "decoy" },
	{ "dir/sub/../../../../inside", 0, -EXDEV, "inside" },
	/* Symlinks: into the root, or not at all. */
	{ "relative", 0, -ELOOP, "inside" },
	{ "absolute", 0, -ELOOP, "inside" },
	{ "absolute-dir/file", 0, -ELOOP, "file" },
	{ "up", 0, -ELOOP, "decoy" },
	{ "dir/up", 0, -ELOOP, "decoy" },
	{ "dir/absolute", 0, -ELOOP, "decoy" },
	{ "loop", -ELOOP, -ELOOP, NULL },
	{ "dangling", -ENOENT, -ELOOP, NULL },
	{ "to-proc", -ENOENT, -ELOOP, NULL }, /* there is no /proc below the root */
};

static void check_path(int fd, int error, const char *content) {
	ck_assert_int_eq(fd < 0 ? fd : 0, error);
	if (fd >= 0) {
		check_content(fd, content);
		ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
		ck_assert_int_ne(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
	}
}

START_TEST(open_stays_inside) {
	_cleanup_close_ int root = scratch_open("root", O_PATH | O_DIRECTORY);
	_cleanup_close_ int in = file_open_in(root, paths[_i].path, O_RDONLY);
	_cleanup_close_ int exact = file_open_exact(root, paths[_i].path, O_RDONLY);

	check_path(in, paths[_i].in, paths[_i].content);
	check_path(exact, paths[_i].exact, paths[_i].content);
}
END_TEST

START_TEST(open_proc_links_are_refused) {
	_cleanup_close_ int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (access("/proc/self/exe", F_OK) == 0) {
		ck_assert_int_eq(file_open_in(root, "proc/self/exe", O_RDONLY), -ELOOP);
		ck_assert_int_eq(file_open_in(root, "proc/self/root/etc", O_PATH), -ELOOP);
	}
	if (access("/proc/self", F_OK) == 0)
		ck_assert_int_eq(file_open_exact(root, "proc/1", O_PATH), -EXDEV);
}
END_TEST

START_TEST(open_the_root) {
	_cleanup_close_ int root = scratch_open("root", O_PATH | O_DIRECTORY);
	static const char *const names[] = { "", ".", "/", ".." };
	struct stat expected, st;

	ck_assert_int_eq(fstat(root, &expected), 0);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		_cleanup_close_ int fd = file_open_in(root, names[i],
						      O_PATH | O_DIRECTORY);

		ck_assert_msg(fd >= 0 && fstat(fd, &st) == 0, "'%s'", names[i]);
		ck_assert_uint_eq(st.st_dev, expected.st_dev);
		ck_assert_uint_eq(st.st_ino, expected.st_ino);
	}
	ck_assert_int_eq(file_open_in(-EBADF, "x", O_PATH), -EBADF);
	ck_assert_int_eq(file_open_in(root, "inside", O_RDONLY | O_DIRECTORY), -ENOTDIR);
}
END_TEST

/* A FIFO without a writer: nobody waits for one. */
START_TEST(open_never_waits) {
	_cleanup_close_ int root = scratch_open("root", O_PATH | O_DIRECTORY);
	_cleanup_close_ int in = file_open_in(root, "fifo", O_RDONLY);
	_cleanup_close_ int exact = file_open_exact(root, "fifo", O_RDONLY);
	_cleanup_close_ int path = file_open_exact(root, "fifo", O_PATH);
	_cleanup_close_ int again = file_reopen(path, O_RDONLY);

	ck_assert_int_ge(in, 0);
	ck_assert_int_ge(exact, 0);
	ck_assert_int_ge(path, 0);
	ck_assert_int_ge(again, 0);
}
END_TEST

/* The name is somebody else's by then; the fd is not. */
START_TEST(reopen_ignores_names) {
	_cleanup_close_ int path = -EBADF, fd = -EBADF, directory = -EBADF, gone = -EBADF;

	scratch_write("victim", "original");
	path = scratch_open("victim", O_PATH);
	ck_assert_int_eq(renameat(scratch_fd, "victim", scratch_fd, "moved"), 0);
	scratch_write("victim", "other");
	fd = file_reopen(path, O_RDONLY);
	ck_assert_int_ge(fd, 0);
	check_content(fd, "original");
	ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
	ck_assert_int_eq(file_reopen(path, O_RDONLY | O_DIRECTORY), -ENOTDIR);
	ck_assert_int_eq(file_reopen(-EBADF, O_RDONLY | O_DIRECTORY), -EBADF);
	ck_assert_int_lt(file_reopen(-EBADF, O_RDONLY), 0);

	scratch_mkdir("gone");
	directory = scratch_open("gone", O_PATH | O_DIRECTORY);
	ck_assert_int_eq(unlinkat(scratch_fd, "gone", AT_REMOVEDIR), 0);
	gone = file_reopen(directory, O_RDONLY | O_DIRECTORY);
	ck_assert(gone >= 0 || gone == -ENOENT);
}
END_TEST

START_TEST(read_limits) {
	static const struct {
		size_t max;
		int error;
	} cases[] = {
		{ 0, -EFBIG }, { 5, -EFBIG }, { 6, 0 }, { 7, 0 }, { 100000, 0 },
	};
	_cleanup_close_ int fd = scratch_open("root/inside", O_RDONLY);

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_free_ char *text = NULL;
		size_t len = 77;

		ck_assert_int_eq(file_read(fd, cases[i].max, &text, &len), cases[i].error);
		if (cases[i].error == 0) {
			ck_assert_uint_eq(len, 6);
			ck_assert_str_eq(text, "inside");
		} else {
			ck_assert_uint_eq(len, 77);
			ck_assert_ptr_null(text);
		}
	}
}
END_TEST

/* From the start, wherever the fd's position is; NUL bytes are bytes; nothing is nothing. */
START_TEST(read_whole) {
	_cleanup_free_ char *text = NULL, *empty = NULL;
	_cleanup_close_ int fd = scratch_open("bytes", O_RDWR | O_CREAT | O_TRUNC);
	size_t len;

	ck_assert_int_eq(file_read(fd, 0, &empty, &len), 0);
	ck_assert_uint_eq(len, 0);
	ck_assert_str_eq(empty, "");
	ck_assert_int_eq(write(fd, "a\0b", 3), 3);
	ck_assert_int_eq(file_read(fd, 3, &text, &len), 0);
	ck_assert_uint_eq(len, 3);
	ck_assert_int_eq(memcmp(text, "a\0b", 4), 0);
}
END_TEST

START_TEST(read_refusals) {
	_cleanup_close_ int directory = scratch_open("root", O_RDONLY | O_DIRECTORY);
	_cleanup_close_ int path = scratch_open("root/inside", O_PATH);
	_cleanup_close_ int fifo = scratch_open("root/fifo", O_RDONLY | O_NONBLOCK);
	char *text = NULL, byte;
	size_t len;

	ck_assert_int_eq(file_read(directory, 10, &text, &len), -EISDIR);
	ck_assert_int_eq(file_read(path, 10, &text, &len), -EBADF);
	ck_assert_int_eq(file_read(fifo, 10, &text, &len), -ESPIPE);
	ck_assert_int_eq(file_read_at(-EBADF, &byte, 1, 0), -EBADF);
	ck_assert_ptr_null(text);
}
END_TEST

START_TEST(read_at) {
	static const struct {
		size_t len;
		uint64_t offset;
		const char *expected;
	} cases[] = {
		{ 6, 0, "inside" }, { 3, 0, "ins" },
		{ 3, 3, "ide" },    { 10, 4, "de" },
		{ 10, 6, "" },	    { 10, 1000, "" },
		{ 0, 2, "" },	    { 10, INT64_MAX - 10, "" },
	};
	_cleanup_close_ int fd = scratch_open("root/inside", O_RDONLY);

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char buffer[16] = "";
		ssize_t n = file_read_at(fd, buffer, cases[i].len, cases[i].offset);

		ck_assert_int_eq(n, (ssize_t)strlen(cases[i].expected));
		ck_assert_str_eq(buffer, cases[i].expected);
	}
}
END_TEST

START_TEST(list_is_sorted) {
	static const char *const sorted[] = { "\n",	 " b",	     "-rf", "...",
					      ".hidden", "B",	     "a",   "aa",
					      "b",	 "\xc3\xa4", "\xff" };
	_cleanup_close_ int path = -EBADF, fd = -EBADF;

	scratch_mkdir("list");
	path = scratch_open("list", O_PATH | O_DIRECTORY);
	fd = scratch_open("list", O_RDONLY | O_DIRECTORY);
	for (size_t i = 0; i < ARRAY_SIZE(sorted);
	     i++) /* in another order than the bytes' */
		ck_assert_int_eq(mkdirat(path, sorted[i * 4 % ARRAY_SIZE(sorted)], 0755),
				 0);
	for (unsigned twice = 0; twice < 2; twice++) {
		_cleanup_strv_ char **names = NULL;

		ck_assert_int_eq(file_list(twice ? path : fd, 11, &names), 0);
		ck_assert_uint_eq(strv_length(names), ARRAY_SIZE(sorted));
		for (size_t i = 0; names[i]; i++)
			ck_assert(strv_contains(names, sorted[i]));
		for (size_t i = 1; names[i]; i++)
			ck_assert_int_lt(strcmp(names[i - 1], names[i]), 0);
	}
}
END_TEST

START_TEST(list_limits) {
	_cleanup_close_ int fd = -EBADF, file = scratch_open("root/inside", O_PATH);
	char **names = NULL, name[16];

	scratch_mkdir("many");
	fd = scratch_open("many", O_PATH | O_DIRECTORY);
	for (unsigned n = 0; n <= 200; n++) {
		ck_assert_int_eq(file_list(fd, n, &names), 0);
		ck_assert_uint_eq(strv_length(names), n);
		strv_free(TAKE_PTR(names));
		if (n > 0)
			ck_assert_int_eq(file_list(fd, n - 1, &names), -E2BIG);
		ck_assert_ptr_null(names);
		snprintf(name, sizeof(name), "%u", n);
		ck_assert_int_eq(mkdirat(fd, name, 0755), 0);
	}
	ck_assert_int_eq(file_list(file, 10, &names), -ENOTDIR);
	ck_assert_int_eq(file_list(-EBADF, 10, &names), -EBADF);
}
END_TEST

START_TEST(list_without_permission) {
	_cleanup_close_ int fd = -EBADF;
	char **names = NULL;

	scratch_mkdir("locked");
	ck_assert_int_eq(fchmodat(scratch_fd, "locked", 0, 0), 0);
	fd = scratch_open("locked", O_PATH | O_DIRECTORY);
	scratch_become_nobody();
	ck_assert_int_eq(file_list(fd, 10, &names), -EACCES);
	scratch_become_root();
	ck_assert_int_eq(fchmodat(scratch_fd, "locked", 0755, 0), 0);
}
END_TEST

START_TEST(fd_path) {
	_cleanup_close_ int path = scratch_open("root/inside", O_PATH), fd = -EBADF;
	char text[FILE_FD_PATH_MAX];

	file_fd_path(INT32_MAX, text);
	ck_assert_str_eq(text, "/proc/self/fd/2147483647");
	file_fd_path(path, text);
	fd = open(text, O_RDONLY | O_CLOEXEC);
	check_content(fd, "inside");
}
END_TEST

START_TEST(join) {
	static const struct {
		const char *dir, *name, *path;
	} cases[] = {
		{ "etc/extensions", "a.raw", "/etc/extensions/a.raw" },
		{ "/etc/extensions", "a.raw", "/etc/extensions/a.raw" },
		{ "//etc", "a", "/etc/a" },
		{ "", "a", "/a" },
		{ "/", "a", "/a" },
		{ "usr", "", "/usr" },
		{ "", "", "/" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_free_ char *path = file_join(cases[i].dir, cases[i].name);

		ck_assert_str_eq(path, cases[i].path);
	}
}
END_TEST

int main(void) {
	Suite *s = suite_create("file");
	TCase *t = tcase_create("file");

	tcase_add_unchecked_fixture(t, setup, scratch_teardown);
	tcase_add_loop_test(t, open_stays_inside, 0, ARRAY_SIZE(paths));
	tcase_add_test(t, open_proc_links_are_refused);
	tcase_add_test(t, open_the_root);
	tcase_add_test(t, open_never_waits);
	tcase_add_test(t, reopen_ignores_names);
	tcase_add_test(t, read_limits);
	tcase_add_test(t, read_whole);
	tcase_add_test(t, read_refusals);
	tcase_add_test(t, read_at);
	tcase_add_test(t, list_is_sorted);
	tcase_add_test(t, list_limits);
	tcase_add_test(t, list_without_permission);
	tcase_add_test(t, fd_path);
	tcase_add_test(t, join);
	suite_add_tcase(s, t);
	return unit_run(s);
}

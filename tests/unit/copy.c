/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Entries made anew: what they have, and that no symlink leads elsewhere (specs: written.8). */
#include "merge/copy.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "scratch.h"
#include "unit.h"

static int from, to;

static void set_up(void) {
	scratch_setup();
	scratch_mkdir("from");
	scratch_mkdir("to");
	from = openat(scratch_fd, "from", O_RDONLY | O_DIRECTORY);
	to = openat(scratch_fd, "to", O_RDONLY | O_DIRECTORY);
	ck_assert_int_ge(from, 0);
	ck_assert_int_ge(to, 0);
}

static void tear_down(void) {
	close(from);
	close(to);
	scratch_teardown();
}

static void assert_same(const char *path) {
	struct stat a, b;

	ck_assert_int_eq(fstatat(from, path, &a, AT_SYMLINK_NOFOLLOW), 0);
	ck_assert_int_eq(fstatat(to, path, &b, AT_SYMLINK_NOFOLLOW), 0);
	ck_assert_uint_eq(a.st_mode, b.st_mode);
	ck_assert_uint_eq(a.st_uid, b.st_uid);
	ck_assert_uint_eq(a.st_gid, b.st_gid);
	ck_assert_int_eq(a.st_mtim.tv_sec, b.st_mtim.tv_sec);
	ck_assert_int_eq(a.st_mtim.tv_nsec, b.st_mtim.tv_nsec);
	if (!S_ISDIR(a.st_mode))
		ck_assert_int_eq(a.st_size, b.st_size);
}

static void set_time(const char *path, long seconds) {
	const struct timespec times[] = { { seconds, 1 }, { seconds, 123456789 } };

	ck_assert_int_eq(utimensat(from, path, times, AT_SYMLINK_NOFOLLOW), 0);
}

static void make_tree(void) {
	scratch_mkdir("from/a");
	scratch_mkdir("from/a/b");
	scratch_write("from/a/b/file", "content");
	scratch_link("nowhere/../else", "from/a/link");
	ck_assert_int_eq(fchmodat(from, "a/b/file", 04751, 0), 0);
	ck_assert_int_eq(fchmodat(from, "a/b", 01700, 0), 0);
	set_time("a/b/file", 1000);
	set_time("a/link", 2000);
	set_time("a/b", 3000);
	set_time("a", 4000);
}

START_TEST(entries_are_alike) {
	char text[32] = "";
	int fd;

	make_tree();
	ck_assert_int_eq(copy_entry(from, to, "a/b/file", false), -ENOENT);
	ck_assert_int_eq(copy_parents(from, to, "a/b/file"), 0);
	ck_assert_int_eq(copy_entry(from, to, "a/b/file", false), 0);
	ck_assert_int_eq(copy_entry(from, to, "a/link", false), 0);
	ck_assert_int_eq(copy_times(from, to), 0);
	assert_same("a");
	assert_same("a/b");
	assert_same("a/b/file");
	assert_same("a/link");
	fd = openat(to, "a/b/file", O_RDONLY);
	ck_assert_int_eq(read(fd, text, sizeof(text)), 7);
	ck_assert_str_eq(text, "content");
	close(fd);
	ck_assert_int_eq(readlinkat(to, "a/link", text, sizeof(text)), 15);
	/* What is there is not written over, but a directory gets its looks. */
	ck_assert_int_eq(copy_entry(from, to, "a/b/file", false), -EEXIST);
	ck_assert_int_eq(copy_entry(from, to, "a/b", false), 0);
}
END_TEST

START_TEST(trees_are_alike) {
	make_tree();
	ck_assert_int_eq(mkfifoat(from, "a/fifo", 0640), 0);
	ck_assert_int_eq(copy_tree(from, to, "a"), 0);
	ck_assert_int_eq(copy_times(from, to), 0);
	assert_same("a/b/file");
	assert_same("a/b");
	assert_same("a/link");
	assert_same("a/fifo");
}
END_TEST

/* Only with marks: an extension has none. */
START_TEST(special_files_are_marks) {
	ck_assert_int_eq(mkfifoat(from, "fifo", 0600), 0);
	ck_assert_int_eq(copy_entry(from, to, "fifo", false), -EINVAL);
	ck_assert_int_eq(copy_entry(from, to, "fifo", true), 0);
	assert_same("fifo");
}
END_TEST

START_TEST(no_link_is_followed) {
	scratch_mkdir("outside");
	scratch_write("outside/file", "secret");
	scratch_link("../outside", "from/way");
	ck_assert_int_eq(copy_entry(from, to, "way/file", false), -ELOOP);
	ck_assert_int_eq(copy_parents(from, to, "way/file"),
			 0); /* as the link that it is */
	ck_assert_int_eq(copy_entry(from, to, "way/file", false), -ELOOP);
	scratch_mkdir("from/dir");
	scratch_write("from/dir/file", "new");
	scratch_link("../outside", "to/dir");
	ck_assert_int_ne(copy_entry(from, to, "dir/file", false), 0);
	ck_assert_int_ne(copy_entry(from, to, "../outside/file", false), 0);
}
END_TEST

START_TEST(large_files_are_whole) {
	enum { SIZE = (1 << 20) + 77777 };
	char *text = malloc(SIZE), *again = malloc(SIZE);
	int fd = openat(from, "large", O_WRONLY | O_CREAT, 0600);

	for (size_t i = 0; i < SIZE; i++)
		text[i] = (char)(i * 31 + i / 4096);
	ck_assert_int_eq(write(fd, text, SIZE), SIZE);
	close(fd);
	ck_assert_int_eq(copy_entry(from, to, "large", false), 0);
	fd = openat(to, "large", O_RDONLY);
	ck_assert_int_eq(read(fd, again, SIZE), SIZE);
	ck_assert_mem_eq(text, again, SIZE);
	close(fd);
	free(text);
	free(again);
}
END_TEST

/* Nobody has to fill a disk to let us fill one. */
START_TEST(holes_stay_holes) {
	const off_t size = (off_t)64 << 30, middle = size / 2;
	int fd = openat(from, "holes", O_RDWR | O_CREAT, 0600);
	char again[4] = "";
	struct stat st;

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(pwrite(fd, "one", 3, 0), 3);
	ck_assert_int_eq(pwrite(fd, "two", 3, middle), 3);
	ck_assert_int_eq(ftruncate(fd, size), 0);
	close(fd);
	ck_assert_int_eq(copy_entry(from, to, "holes", false), 0);
	fd = openat(to, "holes", O_RDONLY);
	ck_assert_int_eq(fstat(fd, &st), 0);
	ck_assert_int_eq(st.st_size, size);
	ck_assert_int_lt(st.st_blocks, 1024);
	ck_assert_int_eq(pread(fd, again, 3, 0), 3);
	ck_assert_str_eq(again, "one");
	ck_assert_int_eq(pread(fd, again, 3, middle), 3);
	ck_assert_str_eq(again, "two");
	close(fd);
}
END_TEST

int main(void) {
	const TTest *const tests[] = { holes_stay_holes,    entries_are_alike,
				       trees_are_alike,	    special_files_are_marks,
				       no_link_is_followed, large_files_are_whole };
	Suite *s = suite_create("copy");

	/* Each has a tree of its own, which is gone afterwards. */
	for (size_t i = 0; i < ARRAY_SIZE(tests); i++) {
		TCase *t = tcase_create("copy");

		tcase_add_unchecked_fixture(t, set_up, tear_down);
		tcase_add_test(t, tests[i]);
		suite_add_tcase(s, t);
	}
	return unit_run(s);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Proves who owns what of an extension, and its words. */
#include "merge/extension.h"

#include <fcntl.h>

#include "unit.h"

/* The address sanitizer ends the program where memory runs out, unless it is told not to. */
const char *__asan_default_options(void);
const char *__asan_default_options(void) {
	return "allocator_may_return_null=1";
}

static const struct class *const sysext = &classes[CLASS_SYSEXT];

START_TEST(new_is_empty) {
	_cleanup_(extension_freep) struct extension *e = extension_new(sysext);

	ck_assert_ptr_eq(e->class, sysext);
	ck_assert_int_eq(e->fd, -EBADF);
	ck_assert_int_eq(e->root_tree, -EBADF);
	ck_assert_int_eq(e->usr_tree, -EBADF);
	ck_assert_ptr_null(e->path);
	ck_assert_ptr_null(e->fingerprint);
	ck_assert_ptr_null(e->release);
	ck_assert_int_eq(e->access, EXTENSION_ACCESS_NONE);
	ck_assert(extension_fits(e));
	ck_assert_int_eq(verdict_set(&e->verdict, VERDICT_CORRUPT, "x"), 0);
	ck_assert(!extension_fits(e));
}
END_TEST

static void check_closed(int fd) {
	ck_assert_int_eq(fcntl(fd, F_GETFD), -1);
}

/* What is not freed is seen by the address sanitizer, what is not closed here. */
START_TEST(free_ends_all) {
	struct extension *e = extension_new(sysext);
	const char *why;
	unsigned line;
	int fds[3];

	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		fds[i] = open("/", O_PATH | O_CLOEXEC);
	e->fd = fds[0];
	e->root_tree = fds[1];
	e->usr_tree = fds[2];
	e->path = strdup("/a");
	e->fingerprint = strdup("f");
	e->note = strdup("n");
	ck_assert_int_eq(name_parse("a_1.raw", NAME_FILE, ".sysext", &e->name, &why), 0);
	ck_assert_int_eq(release_parse("ID=a\n", 5, &e->release, &why, &line), 0);
	ck_assert_int_eq(verdict_set(&e->verdict, VERDICT_CORRUPT, "x"), 0);
	ck_assert_int_eq(verdict_set(&e->forced, VERDICT_WRONG_ID, "y"), 0);
	extension_free(e);
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		check_closed(fds[i]);
	extension_free(NULL);
}
END_TEST

START_TEST(list_owns) {
	struct extensions list = { 0 };
	int fd = open("/", O_PATH | O_CLOEXEC);

	for (size_t i = 0; i < 100; i++) {
		struct extension *e = extension_new(sysext);

		if (i == 50)
			e->fd = fd;
		ck_assert_int_eq(extensions_add(&list, e), 0);
		ck_assert_uint_eq(list.n, i + 1);
		ck_assert_ptr_eq(list.items[i], e);
	}
	extensions_done(&list);
	ck_assert_uint_eq(list.n, 0);
	ck_assert_ptr_null(list.items);
	check_closed(fd);
	extensions_done(&list);
}
END_TEST

/* What cannot be added is freed, and the list is as it was. */
START_TEST(list_without_memory) {
	struct extensions full = { .n = SIZE_MAX / 2 };
	struct extension *e = extension_new(sysext);
	int fd = open("/", O_PATH | O_CLOEXEC);

	e->fd = fd;
	ck_assert_int_eq(extensions_add(&full, e), -ENOMEM);
	ck_assert_uint_eq(full.n, SIZE_MAX / 2);
	ck_assert_ptr_null(full.items);
	check_closed(fd);
}
END_TEST

/* order.8: "ca cb sa sb sc", lowest first, is shown as "cb ca sc sb sa". */
START_TEST(uppermost_is_shown_first) {
	static const enum class_id classes_of[] = { CLASS_CONFEXT, CLASS_CONFEXT,
						    CLASS_SYSEXT, CLASS_SYSEXT,
						    CLASS_SYSEXT };
	static const size_t shown[] = { 1, 0, 4, 3, 2 };
	_cleanup_(extensions_done) struct extensions list = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(classes_of); i++)
		ck_assert_int_eq(extensions_add(&list,
						extension_new(&classes[classes_of[i]])),
				 0);
	for (size_t i = 0; i < ARRAY_SIZE(shown); i++)
		ck_assert_ptr_eq(extensions_shown(&list, i), list.items[shown[i]]);
}
END_TEST

START_TEST(words) {
	static const struct {
		enum extension_kind kind;
		enum fstype format;
		const char *kind_word, *format_word;
	} cases[] = {
		{ EXTENSION_DIRECTORY, FSTYPE_NONE, "directory", "directory" },
		{ EXTENSION_SUBVOLUME, FSTYPE_NONE, "subvolume", "subvolume" },
		{ EXTENSION_RAW, FSTYPE_EROFS, "raw", "erofs" },
		{ EXTENSION_RAW, FSTYPE_SQUASHFS, "raw", "squashfs" },
		{ EXTENSION_BLOCK, FSTYPE_EXT4, "block", "ext4" },
		{ EXTENSION_RAW, FSTYPE_NONE, "raw", "-" },
		{ EXTENSION_OTHER, FSTYPE_NONE, "other", "-" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct extension e = { .kind = cases[i].kind,
					     .format = cases[i].format };

		ck_assert_str_eq(extension_kind_word(e.kind), cases[i].kind_word);
		ck_assert_str_eq(extension_format_word(&e), cases[i].format_word);
	}
}
END_TEST

int main(void) {
	return unit_main("extension", (const TTest *const[]){
					      new_is_empty,
					      free_ends_all,
					      list_owns,
					      list_without_memory,
					      uppermost_is_shown_first,
					      words,
					      NULL,
				      });
}

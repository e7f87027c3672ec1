/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Proves that a census is gone through as the tree was: same entries, same order, same leaving. */
#include "merge/census.h"

#include <fcntl.h>
#include <string.h>

#include "scratch.h"
#include "unit.h"

/* What a visitor was shown, as one text: "+path" for enter, "-path" for leave. */
struct story {
	char text[4096];
	const char *skip; /* a path that it does not want to enter, or NULL */
	const char *fail; /* a path at which it gives up, or NULL */
};

static void tell(struct story *s, char mark, const struct tree_entry *e) {
	size_t len = strlen(s->text);

	snprintf(s->text + len, sizeof(s->text) - len, "%c%s:%s:%u:%c%c ", mark, e->path,
		 e->name, e->depth,
		 S_ISDIR(e->st.st_mode)	  ? 'd'
		 : S_ISLNK(e->st.st_mode) ? 'l'
					  : 'f',
		 e->fd >= 0 ? 'w' : '-');
}

static int enter(const struct tree_entry *e, void *data) {
	struct story *s = data;

	tell(s, '+', e);
	if (s->fail && strcmp(e->path, s->fail) == 0)
		return -ECANCELED;
	return s->skip && strcmp(e->path, s->skip) == 0 ? TREE_SKIP : 0;
}

static void leave(const struct tree_entry *e, void *data) {
	tell(data, '-', e);
}

static void make_tree(void) {
	scratch_mkdir("tree");
	scratch_mkdir("tree/a");
	scratch_mkdir("tree/a/b");
	scratch_write("tree/a/b/file", "x");
	scratch_mkdir("tree/a/empty");
	scratch_write("tree/a/z", "x");
	scratch_write("tree/b", "x");
	scratch_mkdir("tree/c");
	scratch_write("tree/c/last", "x");
	ck_assert_int_eq(symlinkat("b", scratch_fd, "tree/link"), 0);
}

START_TEST(replay_is_the_walk) {
	static const char *const paths[] = { NULL, "a", "a/b",	"a/empty",
					     "c",  "b", "link", "" };
	_cleanup_(census_freep) struct census *c = NULL;
	_cleanup_(digest_freep) struct digest *d = NULL;
	_cleanup_close_ int root = -EBADF;

	make_tree();
	root = scratch_open("tree", O_PATH | O_DIRECTORY);
	ck_assert_int_eq(digest_new(&d), 0);
	ck_assert_int_eq(census_take(root, &tree_limits_default, d, &c), 0);
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		struct story walked = { .skip = paths[i] }, told = { .skip = paths[i] };
		struct tree_visitor v = { enter, leave, &walked };

		ck_assert_int_eq(tree_walk(root, &tree_limits_default, &v), 0);
		v.data = &told;
		ck_assert_int_eq(census_replay(c, root, &v), 0);
		ck_assert_str_eq(told.text, walked.text);
	}
}
END_TEST

/* Whatever ends it, every directory that was entered is left: the visitor may hold something for it. */
START_TEST(replay_ends_early) {
	_cleanup_(census_freep) struct census *c = NULL;
	_cleanup_(digest_freep) struct digest *d = NULL;
	_cleanup_close_ int root = -EBADF;
	struct story s = { .fail = "a/b/file" };
	const struct tree_visitor v = { enter, leave, &s };

	make_tree();
	root = scratch_open("tree", O_PATH | O_DIRECTORY);
	ck_assert_int_eq(digest_new(&d), 0);
	ck_assert_int_eq(census_take(root, &tree_limits_default, d, &c), 0);
	ck_assert_int_eq(census_replay(c, root, &v), -ECANCELED);
	ck_assert_str_eq(s.text, "+::0:dw +a:a:1:dw +a/b:b:2:dw +a/b/file:file:3:f- "
				 "-a/b:b:2:dw -a:a:1:dw -::0:dw ");
}
END_TEST

/* A device is no whiteout, although its number is not written down. */
static int look_at_device(const struct tree_entry *e, void *data) {
	if (e->depth > 0)
		ck_assert(e->st.st_rdev != 0);
	(*(unsigned *)data)++;
	return 0;
}

START_TEST(devices_have_a_number) {
	_cleanup_(census_freep) struct census *c = NULL;
	_cleanup_(digest_freep) struct digest *d = NULL;
	_cleanup_close_ int root = -EBADF;
	unsigned n = 0;

	scratch_mkdir("tree");
	ck_assert_int_eq(mknodat(scratch_open("tree", O_PATH | O_DIRECTORY), "pipe",
				 S_IFIFO | 0600, 0),
			 0);
	root = scratch_open("tree", O_PATH | O_DIRECTORY);
	ck_assert_int_eq(digest_new(&d), 0);
	ck_assert_int_eq(census_take(root, &tree_limits_default, d, &c), 0);
	ck_assert_int_eq(census_replay(c, root,
				       &(struct tree_visitor){ .enter = look_at_device,
							       .data = &n }),
			 0);
	ck_assert_uint_eq(n, 2);
}
END_TEST

START_TEST(limits_and_nothing) {
	const struct tree_limits few = { .nodes = 3, .depth = 8, .milliseconds = 10000 };
	_cleanup_(digest_freep) struct digest *d = NULL;
	_cleanup_close_ int root = -EBADF;
	struct census *c = NULL;

	make_tree();
	root = scratch_open("tree", O_PATH | O_DIRECTORY);
	ck_assert_int_eq(digest_new(&d), 0);
	ck_assert_int_eq(census_take(root, &few, d, &c), -E2BIG);
	ck_assert_ptr_null(c);
	census_free(NULL);
}
END_TEST

int main(void) {
	Suite *s = suite_create("census");
	TCase *t = tcase_create("census");

	tcase_add_checked_fixture(t, scratch_setup, scratch_teardown);
	tcase_add_test(t, replay_is_the_walk);
	tcase_add_test(t, replay_ends_early);
	tcase_add_test(t, devices_have_a_number);
	tcase_add_test(t, limits_and_nothing);
	suite_add_tcase(s, t);
	return unit_run(s);
}

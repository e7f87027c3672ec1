/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Proves the order and the limits of the walk, and that the fingerprint misses no change (layer.1, record.3). */
#include "merge/tree.h"

#include <sched.h>
#include <sys/mount.h>
#include <time.h>

#include "merge/digest.h"
#include "scratch.h"
#include "unit.h"

#define SKIP_NAME "skipped"

/* What the visitor was told, one line each. */
struct diary {
	char text[4096];
	const char *stop_at; /* a path */
	int stop_with;
	unsigned pause_milliseconds;
};

static void note(struct diary *d, char mark, const char *path) {
	size_t len = strlen(d->text);

	snprintf(d->text + len, sizeof(d->text) - len, "%c%s\n", mark, path);
}

static int enter(const struct tree_entry *e, void *data) {
	const char *slash = strrchr(e->path, '/');
	struct diary *d = data;
	struct stat st;

	ck_assert_str_eq(e->name, slash ? slash + 1 : e->path);
	ck_assert_int_eq(e->depth == 0, *e->path == '\0');
	ck_assert_int_eq(e->parent >= 0, e->depth > 0);
	if (e->fd >= 0) {
		ck_assert(S_ISDIR(e->st.st_mode));
		ck_assert_int_eq(fstat(e->fd, &st), 0);
		ck_assert_uint_eq(st.st_ino, e->st.st_ino);
	}
	if (e->depth > 0)
		ck_assert_int_eq(fstatat(e->parent, e->name, &st, AT_SYMLINK_NOFOLLOW), 0);
	note(d, e->fd >= 0 ? '+' : ' ', e->path);
	if (d->pause_milliseconds > 0)
		usleep(d->pause_milliseconds * 1000);
	if (d->stop_at && strcmp(e->path, d->stop_at) == 0)
		return d->stop_with;
	return strcmp(e->name, SKIP_NAME) == 0 ? TREE_SKIP : 0;
}

static void leave(const struct tree_entry *e, void *data) {
	const char *slash = strrchr(e->path, '/');

	ck_assert_str_eq(e->name, slash ? slash + 1 : e->path);
	ck_assert_int_ge(fcntl(e->fd, F_GETFD), 0);
	note(data, '-', e->path);
}

static int walk(const char *path, const struct tree_limits *limits, struct diary *d) {
	_cleanup_close_ int root = scratch_open(path, O_PATH | O_DIRECTORY);
	const struct tree_visitor v = { .enter = enter, .leave = leave, .data = d };

	return tree_walk(root, limits, &v);
}

/* The lowest fd that is free: the same before and after, whatever happened, or one was lost. */
static int lowest_fd(void) {
	int fd = open("/", O_PATH | O_CLOEXEC);

	close(fd);
	return fd;
}

static void setup(void) {
	scratch_setup();
	scratch_mkdir("t");
	scratch_mkdir("t/b");
	scratch_write("t/b/2", "");
	scratch_write("t/b/10", "");
	scratch_mkdir("t/b/deep");
	scratch_mkdir("t/b/deep/er");
	scratch_write("t/a", "a");
	scratch_write("t/b-", "");
	scratch_write("t/Z", "");
	scratch_mkdir("t/" SKIP_NAME);
	scratch_write("t/" SKIP_NAME "/unseen", "");
	scratch_link("b", "t/link-to-directory");
	scratch_link("/", "t/link-out");
	scratch_link("nowhere", "t/dangling");
	scratch_mkdir("t/\xff");
	ck_assert_int_eq(mkfifoat(scratch_fd, "t/fifo", 0644), 0);
}

#define HEAD "+\n Z\n a\n"
#define B "+b\n b/10\n b/2\n"
#define DEEP "+b/deep\n+b/deep/er\n-b/deep/er\n-b/deep\n"
#define REST                                 \
	" b-\n dangling\n fifo\n link-out\n" \
	" link-to-directory\n+skipped\n+\xff\n-\xff\n"

static int add(const struct tree_entry *e, void *data) {
	tree_digest_entry(e, data);
	return 0;
}

/* The digest of a tree, as text. */
static int tree_fingerprint(int root, const struct tree_limits *limits, char *ret) {
	_cleanup_(digest_freep) struct digest *d = NULL;
	int r = digest_new(&d);

	if (r == 0)
		r = tree_walk(root, limits,
			      &(struct tree_visitor){ .enter = add, .data = d });
	if (r == 0)
		digest_finish(d, ret);
	return r;
}

START_TEST(order) {
	struct diary d = { 0 };
	int lowest = lowest_fd();

	ck_assert_int_eq(walk("t", &tree_limits_default, &d), 0);
	ck_assert_str_eq(d.text, HEAD B DEEP "-b\n" REST "-\n");
	ck_assert_int_eq(lowest_fd(), lowest);
}
END_TEST

START_TEST(leave_may_be_missing) {
	_cleanup_close_ int root = scratch_open("t", O_RDONLY | O_DIRECTORY);
	struct diary d = { 0 };
	const struct tree_visitor v = { .enter = enter, .data = &d };

	ck_assert_int_eq(tree_walk(root, &tree_limits_default, &v), 0);
	ck_assert_ptr_null(strstr(d.text, "\n-"));
}
END_TEST

START_TEST(visitor_decides) {
	static const struct {
		const char *at;
		int with, result;
		const char *text;
	} cases[] = {
		{ "", TREE_SKIP, 0, "+\n" },
		{ "", -ECANCELED, -ECANCELED, "+\n" },
		{ "Z", -EIO, -EIO, "+\n Z\n" },
		{ "a", TREE_SKIP, 0, HEAD B DEEP "-b\n" REST "-\n" }, /* no directory */
		{ "b", TREE_SKIP, 0, HEAD "+b\n" REST "-\n" },
		{ "b", -EIO, -EIO, HEAD "+b\n" },
		{ "b/deep", TREE_SKIP, 0, HEAD B "+b/deep\n-b\n" REST "-\n" },
		{ "b/deep/er", -ECANCELED, -ECANCELED, HEAD B "+b/deep\n+b/deep/er\n" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct diary d = { .stop_at = cases[i].at, .stop_with = cases[i].with };
		int lowest = lowest_fd();

		ck_assert_int_eq(walk("t", &tree_limits_default, &d), cases[i].result);
		ck_assert_str_eq(d.text, cases[i].text);
		ck_assert_int_eq(lowest_fd(), lowest);
	}
}
END_TEST

/* The tree has 14 nodes below its root that are looked at, and 3 directories' depth. */
START_TEST(limits) {
	static const struct {
		uint64_t nodes;
		unsigned depth;
		int result;
	} cases[] = {
		{ 14, 3, 0 },	  { 13, 3, -E2BIG }, { 1, 3, -E2BIG },
		{ 0, 3, -E2BIG }, { 14, 2, -ELOOP }, { 14, 0, -ELOOP },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct tree_limits l = { cases[i].nodes, cases[i].depth, 10000 };
		struct diary d = { 0 };
		int lowest = lowest_fd();

		ck_assert_msg(walk("t", &l, &d) == cases[i].result, "case %zu:\n%s", i,
			      d.text);
		ck_assert_int_eq(lowest_fd(), lowest);
	}
}
END_TEST

START_TEST(depth_of_the_default) {
	_cleanup_close_ int root = -EBADF;
	struct diary d = { 0 };
	int fd;

	scratch_mkdir("deep");
	root = scratch_open("deep", O_PATH | O_DIRECTORY);
	fd = fcntl(root, F_DUPFD_CLOEXEC, 0);
	for (unsigned depth = 1; depth <= tree_limits_default.depth + 1; depth++) {
		int next;

		ck_assert_int_eq(mkdirat(fd, "d", 0755), 0);
		next = openat(fd, "d", O_PATH | O_DIRECTORY | O_CLOEXEC);
		close(fd);
		fd = next;
		if (depth < tree_limits_default.depth)
			continue;
		d.text[0] = '\0';
		ck_assert_int_eq(walk("deep", &tree_limits_default, &d),
				 depth > tree_limits_default.depth ? -ELOOP : 0);
	}
	close(fd);
}
END_TEST

START_TEST(time_limit) {
	const struct tree_limits l = { .nodes = 1000, .depth = 3, .milliseconds = 20 };
	struct diary d = { .pause_milliseconds = 1 };
	char name[16];

	scratch_mkdir("slow");
	for (unsigned i = 0; i < 200; i++) {
		snprintf(name, sizeof(name), "slow/%u", i);
		scratch_write(name, "");
	}
	ck_assert_int_eq(walk("slow", &l, &d), -ETIME);
	d = (struct diary){ 0 };
	ck_assert_int_eq(walk("slow", &tree_limits_default, &d), 0);
}
END_TEST

START_TEST(no_directory) {
	_cleanup_close_ int file = scratch_open("t/a", O_RDONLY);
	struct diary d = { 0 };
	const struct tree_visitor v = { .enter = enter, .data = &d };
	char text[DIGEST_TEXT_MAX] = "x";

	ck_assert_int_eq(tree_walk(file, &tree_limits_default, &v), -ENOTDIR);
	ck_assert_int_eq(tree_walk(-EBADF, &tree_limits_default, &v), -EBADF);
	ck_assert_int_eq(tree_fingerprint(file, &tree_limits_default, text), -ENOTDIR);
	ck_assert_str_eq(text, "x");
	ck_assert_str_eq(d.text, "");
}
END_TEST

/* A directory that cannot be read, or not searched, is an error, never an empty one. */
START_TEST(unreadable) {
	static const mode_t modes[] = { 0, 0111, 0444 };
	char text[DIGEST_TEXT_MAX];

	scratch_mkdir("u");
	scratch_mkdir("u/locked");
	scratch_write("u/locked/x", "");
	for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
		_cleanup_close_ int root = scratch_open("u", O_PATH | O_DIRECTORY);
		struct diary d = { 0 };

		ck_assert_int_eq(fchmodat(scratch_fd, "u/locked", modes[i], 0), 0);
		scratch_become_nobody();
		ck_assert_int_eq(walk("u", &tree_limits_default, &d), -EACCES);
		ck_assert_int_eq(tree_fingerprint(root, &tree_limits_default, text),
				 -EACCES);
		scratch_become_root();
	}
	ck_assert_int_eq(fchmodat(scratch_fd, "u/locked", 0755, 0), 0);
}
END_TEST

/* A mount namespace of the test's own, of its own user's if it has to be; false without either. */
static bool enter_namespace(void) {
	if (unshare(CLONE_NEWNS) < 0 && unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0)
		return false;
	return mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
}

/* A bind mount of the same file system has the same device number, and is another mount. */
START_TEST(mounts_are_not_entered) {
	struct diary d = { 0 };
	char from[64], to[64];

	scratch_mkdir("m");
	scratch_mkdir("m/mounted");
	snprintf(from, sizeof(from), "%s/t", scratch_path);
	snprintf(to, sizeof(to), "%s/m/mounted", scratch_path);
	if (!enter_namespace() || mount(from, to, NULL, MS_BIND, NULL) < 0) {
		fprintf(stderr, "mounts are not tried: there is no permission for them\n");
		return;
	}
	close_fdp(&scratch_fd); /* which is of the namespace before */
	scratch_fd = open(scratch_path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_eq(walk("m", &tree_limits_default, &d), 0);
	ck_assert_str_eq(d.text, "+\n mounted\n-\n");
	d.text[0] = '\0';
	ck_assert_int_eq(walk("m/mounted/b", &tree_limits_default, &d), 0);
	ck_assert_str_eq(d.text, "+\n 10\n 2\n+deep\n+deep/er\n-deep/er\n-deep\n-\n");
}
END_TEST

static void change_content(void) {
	scratch_write("f/a", "longer than before");
}

static void change_same_size(void) {
	scratch_write("f/a", "b");
}

static void change_mtime(void) {
	const struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, { .tv_sec = 5 } };

	ck_assert_int_eq(utimensat(scratch_fd, "f/a", times, 0), 0);
}

static void change_mode(void) {
	ck_assert_int_eq(fchmodat(scratch_fd, "f/a", 0755, 0), 0);
}

static void change_name(void) {
	ck_assert_int_eq(renameat(scratch_fd, "f/a", scratch_fd, "f/b"), 0);
}

static void change_place(void) {
	ck_assert_int_eq(renameat(scratch_fd, "f/a", scratch_fd, "f/d/a"), 0);
}

static void add_file(void) {
	scratch_write("f/d/new", "");
}

static void add_directory(void) {
	scratch_mkdir("f/d/new");
}

static void remove_file(void) {
	ck_assert_int_eq(unlinkat(scratch_fd, "f/a", 0), 0);
}

static void change_type(void) {
	ck_assert_int_eq(unlinkat(scratch_fd, "f/a", 0), 0);
	scratch_mkdir("f/a");
}

static void change_target(void) {
	ck_assert_int_eq(unlinkat(scratch_fd, "f/l", 0), 0);
	scratch_link("d", "f/l");
}

static void replace_with_same(void) {
	ck_assert_int_eq(unlinkat(scratch_fd, "f/a", 0), 0);
	scratch_write("f/a", "a");
}

static void change_root_mode(void) {
	ck_assert_int_eq(fchmodat(scratch_fd, "f", 0750, 0), 0);
}

static void (*const changes[])(void) = {
	change_content, change_same_size,  change_mtime,     change_mode, change_name,
	change_place,	add_file,	   add_directory,    remove_file, change_type,
	change_target,	replace_with_same, change_root_mode,
};

static void fingerprint(char ret[static DIGEST_TEXT_MAX]) {
	_cleanup_close_ int root = scratch_open("f", O_PATH | O_DIRECTORY);

	ck_assert_int_eq(tree_fingerprint(root, &tree_limits_default, ret), 0);
	ck_assert_uint_eq(strlen(ret), DIGEST_TEXT_MAX - 1);
}

START_TEST(fingerprint_sees) {
	const struct timespec tick = { .tv_nsec = 20 * 1000 *
						  1000 }; /* of a file's times */
	char before[DIGEST_TEXT_MAX], again[DIGEST_TEXT_MAX], after[DIGEST_TEXT_MAX];

	scratch_mkdir("f");
	scratch_mkdir("f/d");
	scratch_write("f/a", "a");
	scratch_link("a", "f/l");
	nanosleep(&tick, NULL);
	fingerprint(before);
	close(scratch_open("f/a",
			   O_RDONLY)); /* reading is no change, nor is what is beside it */
	scratch_write("beside", "");
	fingerprint(again);
	ck_assert_str_eq(before, again);
	changes[_i]();
	fingerprint(after);
	ck_assert_str_ne(before, after);
}
END_TEST

START_TEST(fingerprint_has_limits) {
	_cleanup_close_ int root = scratch_open("t", O_PATH | O_DIRECTORY);
	const struct tree_limits few = { .nodes = 3, .depth = 9, .milliseconds = 1000 };
	const struct tree_limits flat = { .nodes = 99, .depth = 1, .milliseconds = 1000 };
	char text[DIGEST_TEXT_MAX] = "x";

	ck_assert_int_eq(tree_fingerprint(root, &few, text), -E2BIG);
	ck_assert_int_eq(tree_fingerprint(root, &flat, text), -ELOOP);
	ck_assert_str_eq(text, "x");
}
END_TEST

int main(void) {
	Suite *s = suite_create("tree");
	TCase *walks = tcase_create("walk"), *prints = tcase_create("fingerprint");

	tcase_add_unchecked_fixture(walks, setup, scratch_teardown);
	tcase_add_test(walks, order);
	tcase_add_test(walks, leave_may_be_missing);
	tcase_add_test(walks, visitor_decides);
	tcase_add_test(walks, limits);
	tcase_add_test(walks, depth_of_the_default);
	tcase_add_test(walks, time_limit);
	tcase_add_test(walks, no_directory);
	tcase_add_test(walks, unreadable);
	tcase_add_test(walks, mounts_are_not_entered);
	tcase_add_test(walks, fingerprint_has_limits);
	suite_add_tcase(s, walks);
	tcase_add_checked_fixture(prints, scratch_setup, scratch_teardown);
	tcase_add_loop_test(prints, fingerprint_sees, 0, ARRAY_SIZE(changes));
	suite_add_tcase(s, prints);
	return unit_run(s);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Proves what a path is taken for, who may write it, and that its fingerprint follows it (discover.writers, record.3). */
#include "merge/image.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

#include "scratch.h"
#include "unit.h"

static const struct class *const sysext = &classes[CLASS_SYSEXT];
static const struct class *const confext = &classes[CLASS_CONFEXT];

static char *absolute(const char *path) {
	char *text;

	ck_assert_int_ge(asprintf(&text, "%s/%s", scratch_path, path), 0);
	return text;
}

static struct extension *open_as(const char *path, const struct class *class) {
	_cleanup_free_ char *whole = absolute(path);
	struct extension *e = NULL;
	int r = image_open(whole, class, &e);

	ck_assert_msg(r == 0, "'%s' is %d", path, r);
	ck_assert_str_eq(e->path, whole);
	return e;
}

static void make_socket(const char *path) {
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	snprintf(address.sun_path, sizeof(address.sun_path), "%s/%s", scratch_path, path);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
}

static void setup(void) {
	scratch_setup();
	scratch_write("a.raw", "image");
	scratch_write("a_1.2_x86-64+3-1.raw", "image");
	scratch_write("k3s_1.29.1+k3s1.raw", "image");
	scratch_write("c.confext.raw", "image");
	scratch_write("s.sysext.raw", "image");
	scratch_write("empty.raw", "");
	scratch_write("noraw", "image");
	scratch_write(".hidden.raw", "image");
	scratch_write("a\nb.raw", "image");
	scratch_write("a_1,2.raw", "image");
	scratch_mkdir("tree");
	scratch_write("tree/file", "x");
	scratch_mkdir("tree_2.sysext");
	scratch_mkdir("conf.confext");
	scratch_mkdir("dir.raw");
	scratch_mkdir("x.confext");
	scratch_write("x.confext/inner.raw", "image");
	scratch_write("x.confext/inner.confext.raw", "image");
	ck_assert_int_eq(mkfifoat(scratch_fd, "fifo.raw", 0644), 0);
	make_socket("socket.raw");
	scratch_link("/dev/null", "null.raw");
	scratch_link("a.raw", "link.raw");
	scratch_link("nowhere.raw", "dangling.raw");
}

static const struct {
	const char *path;
	enum class_id asked, class;
	enum extension_kind kind;
	const char *name, *version;
	enum verdict_code verdict;
	const char *text; /* of the verdict */
} opened[] = {
#define S CLASS_SYSEXT
#define C CLASS_CONFEXT
#define RAW EXTENSION_RAW
#define DIRECTORY EXTENSION_DIRECTORY
#define OTHER EXTENSION_OTHER
	{ "a.raw", S, S, RAW, "a", NULL, VERDICT_FITS, NULL },
	{ "a_1.2_x86-64+3-1.raw", S, S, RAW, "a", "1.2", VERDICT_FITS, NULL },
	{ "k3s_1.29.1+k3s1.raw", S, S, RAW, "k3s", "1.29.1+k3s1", VERDICT_FITS, NULL },
	{ "link.raw", S, S, RAW, "link", NULL, VERDICT_FITS, NULL },
	{ "tree", S, S, DIRECTORY, "tree", NULL, VERDICT_FITS, NULL },
	{ "tree/", S, S, DIRECTORY, "tree", NULL, VERDICT_FITS, NULL },
	{ "tree///", S, S, DIRECTORY, "tree", NULL, VERDICT_FITS, NULL },
	{ "tree_2.sysext", S, S, DIRECTORY, "tree", "2", VERDICT_FITS, NULL },
	{ "dir.raw", S, S, DIRECTORY, "dir.raw", NULL, VERDICT_FITS, NULL },
	/* The class is in the name, else what was asked for. */
	{ "a.raw", C, C, RAW, "a", NULL, VERDICT_FITS, NULL },
	{ "c.confext.raw", S, C, RAW, "c", NULL, VERDICT_FITS, NULL },
	{ "c.confext.raw", C, C, RAW, "c", NULL, VERDICT_FITS, NULL },
	{ "s.sysext.raw", C, S, RAW, "s", NULL, VERDICT_FITS, NULL },
	{ "conf.confext", S, C, DIRECTORY, "conf", NULL, VERDICT_FITS, NULL },
	{ "conf.confext/", S, C, DIRECTORY, "conf", NULL, VERDICT_FITS, NULL },
	{ "tree_2.sysext", C, S, DIRECTORY, "tree", "2", VERDICT_FITS, NULL },
	{ "x.confext/inner.raw", S, S, RAW, "inner", NULL, VERDICT_FITS, NULL },
	{ "x.confext/inner.confext.raw", S, C, RAW, "inner", NULL, VERDICT_FITS, NULL },
	/* Nothing in it. */
	{ "empty.raw", S, S, RAW, "empty", NULL, VERDICT_EMPTY,
	  "the image is an empty file" },
	/* Names. */
	{ "noraw", S, S, RAW, "noraw", NULL, VERDICT_BAD_NAME, "is not called NAME.raw" },
	{ ".hidden.raw", S, S, RAW, ".hidden.raw", NULL, VERDICT_BAD_NAME,
	  "the name starts with a dot" },
	{ "a\nb.raw", S, S, RAW, "a\nb.raw", NULL, VERDICT_BAD_NAME,
	  "the name has control characters or is not UTF-8" },
	{ "a_1,2.raw", S, S, RAW, "a_1,2.raw", NULL, VERDICT_BAD_NAME,
	  "the version has characters that no version has" },
	{ "tree/.", S, S, DIRECTORY, ".", NULL, VERDICT_BAD_NAME,
	  "the name starts with a dot" },
	/* What is no image: seen, and never opened. */
	{ "fifo.raw", S, S, OTHER, "fifo", NULL, VERDICT_UNSUPPORTED,
	  "is a FIFO, not an image" },
	{ "socket.raw", S, S, OTHER, "socket", NULL, VERDICT_UNSUPPORTED,
	  "is a socket, not an image" },
	{ "null.raw", S, S, OTHER, "null", NULL, VERDICT_UNSUPPORTED,
	  "is a character device, not an image" },
};

START_TEST(open_path) {
	typeof(*opened) *c = &opened[_i];
	_cleanup_(extension_freep) struct extension *e = open_as(c->path,
								 &classes[c->asked]);
	int flags = fcntl(e->fd, F_GETFL);

	ck_assert_ptr_eq(e->class, &classes[c->class]);
	ck_assert_int_eq(e->kind, c->kind);
	ck_assert_str_eq(e->name.name, c->name);
	ck_assert(unit_same(e->name.version, c->version));
	ck_assert_msg(e->verdict.code == c->verdict, "%s: %s",
		      verdict_word(e->verdict.code), e->verdict.text);
	ck_assert_msg(unit_same(e->verdict.text, c->text), "%s", e->verdict.text);
	ck_assert_int_eq(e->fd >= 0, c->kind != OTHER);
	if (e->fd >= 0) {
		ck_assert_int_eq(fcntl(e->fd, F_GETFD), FD_CLOEXEC);
		ck_assert_int_eq(!!(flags & O_PATH), c->kind == DIRECTORY);
		ck_assert_int_eq(flags & O_ACCMODE, O_RDONLY);
	}
	ck_assert_uint_eq(e->size, c->kind == RAW && c->verdict != VERDICT_EMPTY ? 5 : 0);
}
END_TEST

START_TEST(open_nothing) {
	static const char *const paths[] = { "nowhere.raw", "dangling.raw", "a.raw/" };
	static const int errors[] = { -ENOENT, -ENOENT, -ENOTDIR };
	struct extension *e = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		_cleanup_free_ char *whole = absolute(paths[i]);

		ck_assert_int_eq(image_open(whole, sysext, &e), errors[i]);
	}
	ck_assert_int_eq(image_open("", sysext, &e), -ENOENT);
	ck_assert_ptr_null(e);
}
END_TEST

START_TEST(open_without_permission) {
	_cleanup_(extension_freep) struct extension *e = NULL;

	scratch_write("secret.raw", "image");
	ck_assert_int_eq(fchmodat(scratch_fd, "secret.raw", 0, 0), 0);
	scratch_become_nobody();
	e = open_as("secret.raw", sysext);
	scratch_become_root();
	ck_assert_int_eq(e->verdict.code, VERDICT_NO_PRIVILEGE);
	ck_assert_int_lt(e->fd, 0);
	ck_assert_uint_eq(e->size, 5);
}
END_TEST

START_TEST(name_kind) {
	static const struct {
		const char *entry;
		mode_t mode;
		enum name_kind kind;
	} cases[] = {
		{ "a.raw", S_IFREG, NAME_FILE },
		{ "a", S_IFREG, NAME_FILE },
		{ "a.v", S_IFREG, NAME_FILE },
		{ "a.raw.v", S_IFREG, NAME_FILE },
		{ "a", S_IFDIR, NAME_DIRECTORY },
		{ "a.raw", S_IFDIR, NAME_DIRECTORY },
		{ "a.v", S_IFDIR, NAME_PICK_DIRECTORIES },
		{ "a.raw.v", S_IFDIR, NAME_PICK_FILES },
		{ ".v", S_IFDIR, NAME_DIRECTORY },
		{ "v", S_IFDIR, NAME_DIRECTORY },
		{ "a.raw", S_IFBLK, NAME_FILE },
		{ "a", S_IFBLK, NAME_DIRECTORY },
		{ "a.raw", S_IFCHR, NAME_FILE },
		{ "a.raw", 0, NAME_FILE },
		{ "a", 0, NAME_DIRECTORY },
		{ "", 0, NAME_DIRECTORY },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		ck_assert_msg(image_name_kind(cases[i].entry, cases[i].mode) ==
				      cases[i].kind,
			      "case %zu", i);
}
END_TEST

START_TEST(refuse_name) {
	_cleanup_(extension_freep) struct extension *e = extension_new(confext);

	ck_assert_int_eq(image_refuse_name(e, "a%s\n", "why %d"), 0);
	ck_assert_str_eq(e->name.full, "a%s\n");
	ck_assert_str_eq(e->name.name, "a%s\n");
	ck_assert_ptr_null(e->name.version);
	ck_assert_int_eq(e->name.left, NAME_TRIES_NONE);
	ck_assert_int_eq(e->verdict.code, VERDICT_BAD_NAME);
	ck_assert_str_eq(e->verdict.text, "why %d");
}
END_TEST

static struct extension *check_writers(const char *path) {
	_cleanup_close_ int fd = scratch_open(path, O_PATH);
	struct extension *e = extension_new(sysext);
	_cleanup_free_ char *safe = NULL;
	struct stat st;

	e->path = absolute(path);
	ck_assert_int_eq(fstat(fd, &st), 0);
	ck_assert_int_eq(image_check_writers(e, fd, &st, &safe), 0);
	return e;
}

/* The image or tree itself, and each directory above where it really lies; a sticky one is safe. */
START_TEST(writers) {
	static const struct {
		const char *changed;
		mode_t mode;
		const char *image;
		bool safe;
	} cases[] = {
		{ "w", 0755, "w/x/image.raw", true },
		{ "w/x/image.raw", 0664, "w/x/image.raw", true },
		{ "w/x/image.raw", 0666, "w/x/image.raw", false },
		{ "w/x/image.raw", 0602, "w/x/image.raw", false },
		{ "w/x", 0777, "w/x/image.raw", false },
		{ "w/x", 01777, "w/x/image.raw", true },
		{ "w", 0777, "w/x/image.raw", false },
		{ "w/x", 0777, "w/x", false },
		{ "w", 0777, "w/x", false },
		{ "w/x", 0777, "w/link.raw", false }, /* the link's target lies there */
		{ "w/x/image.raw", 0666, "w/link.raw", false },
	};

	scratch_mkdir("w");
	scratch_mkdir("w/x");
	scratch_write("w/x/image.raw", "image");
	scratch_link("x/image.raw", "w/link.raw");
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(extension_freep) struct extension *e = NULL;
		_cleanup_free_ char *at = absolute(cases[i].changed);
		struct stat st;

		ck_assert_int_eq(fstatat(scratch_fd, cases[i].changed, &st, 0), 0);
		ck_assert_int_eq(chmod(at, cases[i].mode), 0);
		e = check_writers(cases[i].image);
		ck_assert_msg(extension_fits(e) == cases[i].safe, "case %zu: %s", i,
			      e->verdict.text ?: "fits");
		if (!cases[i].safe) {
			ck_assert_int_eq(e->verdict.code, VERDICT_UNSAFE_PATH);
			ck_assert_ptr_nonnull(
				strstr(e->verdict.text, "written by everybody"));
		}
		ck_assert_int_eq(chmod(at, st.st_mode & 07777), 0);
	}
}
END_TEST

/* Another owner is a note, not a verdict. Only root can give a file away. */
START_TEST(owners) {
	_cleanup_(extension_freep) struct extension *mine = NULL, *foreign = NULL;

	scratch_write("owned.raw", "image");
	mine = check_writers("owned.raw");
	ck_assert_ptr_null(mine->note);
	if (geteuid() != 0)
		return;
	ck_assert_int_eq(fchownat(scratch_fd, "owned.raw", SCRATCH_NOBODY, 0, 0), 0);
	foreign = check_writers("owned.raw");
	ck_assert(extension_fits(foreign));
	ck_assert_ptr_nonnull(strstr(foreign->note, "owned.raw belongs to user 65534"));
}
END_TEST

static char *fingerprint_of(const char *path) {
	_cleanup_(extension_freep) struct extension *e = open_as(path, sysext);
	char *first;

	ck_assert_int_eq(image_fingerprint(e), 0);
	ck_assert_ptr_nonnull(e->fingerprint);
	first = e->fingerprint;
	ck_assert_int_eq(image_fingerprint(e), 0);
	ck_assert_ptr_eq(e->fingerprint, first); /* it is had once */
	return TAKE_PTR(e->fingerprint);
}

START_TEST(fingerprint_follows_content) {
	static const char *const images[] = { "f.raw", "f-tree" };
	const struct timespec tick = { .tv_nsec = 20 * 1000 * 1000 };

	scratch_write("f.raw", "image");
	scratch_mkdir("f-tree");
	scratch_mkdir("f-tree/usr");
	scratch_write("f-tree/usr/file", "x");
	for (size_t i = 0; i < ARRAY_SIZE(images); i++) {
		_cleanup_free_ char *before = NULL, *again = NULL, *after = NULL;

		nanosleep(&tick, NULL);
		before = fingerprint_of(images[i]);
		again = fingerprint_of(images[i]);
		ck_assert_str_eq(before, again);
		ck_assert_int_eq(strncmp(before, i ? "tree:" : "image:", i ? 5 : 6), 0);
		scratch_write(i ? "f-tree/usr/file" : "f.raw", "y    ");
		after = fingerprint_of(images[i]);
		ck_assert_str_ne(before, after);
	}
}
END_TEST

/* The same bytes under another inode, as after a copy: not looked into, so not the same. */
START_TEST(fingerprint_of_a_copy) {
	_cleanup_free_ char *a = fingerprint_of("a.raw"),
			    *c = fingerprint_of("s.sysext.raw");
	_cleanup_free_ char *link = fingerprint_of("link.raw");

	ck_assert_str_ne(a, c);
	ck_assert_str_eq(a, link);
}
END_TEST

START_TEST(fingerprint_of_nothing) {
	_cleanup_(extension_freep) struct extension *fifo = open_as("fifo.raw", sysext);

	ck_assert_int_eq(image_fingerprint(fifo), 0);
	ck_assert_ptr_null(fifo->fingerprint);
}
END_TEST

static void check_fingerprint_refused(const char *path, enum verdict_code code) {
	_cleanup_(extension_freep) struct extension *e = open_as(path, sysext);

	scratch_become_nobody();
	ck_assert_int_eq(image_fingerprint(e), 0);
	scratch_become_root();
	ck_assert_ptr_null(e->fingerprint);
	ck_assert_int_eq(e->verdict.code, code);
	ck_assert_ptr_nonnull(strstr(e->verdict.text, "cannot be read"));
}

START_TEST(fingerprint_refusals) {
	int fd;

	scratch_mkdir("locked");
	scratch_mkdir("locked/usr");
	scratch_mkdir("locked/usr/inside");
	ck_assert_int_eq(fchmodat(scratch_fd, "locked/usr/inside", 0, 0), 0);
	check_fingerprint_refused("locked", VERDICT_UNREADABLE);
	ck_assert_int_eq(fchmodat(scratch_fd, "locked/usr/inside", 0755, 0), 0);

	scratch_mkdir("deep");
	scratch_mkdir("deep/usr");
	fd = scratch_open("deep/usr", O_PATH | O_DIRECTORY);
	for (unsigned i = 0; i < 200; i++) {
		int next;

		ck_assert_int_eq(mkdirat(fd, "d", 0755), 0);
		next = openat(fd, "d", O_PATH | O_DIRECTORY | O_CLOEXEC);
		close(fd);
		fd = next;
	}
	close(fd);
	check_fingerprint_refused("deep", VERDICT_TOO_LARGE);
}
END_TEST

int main(void) {
	Suite *s = suite_create("image");
	TCase *t = tcase_create("image");

	tcase_add_unchecked_fixture(t, setup, scratch_teardown);
	tcase_add_loop_test(t, open_path, 0, ARRAY_SIZE(opened));
	tcase_add_test(t, open_nothing);
	tcase_add_test(t, open_without_permission);
	tcase_add_test(t, name_kind);
	tcase_add_test(t, refuse_name);
	tcase_add_test(t, writers);
	tcase_add_test(t, owners);
	tcase_add_test(t, fingerprint_follows_content);
	tcase_add_test(t, fingerprint_of_a_copy);
	tcase_add_test(t, fingerprint_of_nothing);
	tcase_add_test(t, fingerprint_refusals);
	suite_add_tcase(s, t);
	return unit_run(s);
}

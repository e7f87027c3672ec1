/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Proves what of a written layer becomes an extension, and what stays where it is (specs: written.8 to written.10). */
#include "merge/carry.h"

#include "merge/strv.h"
#include "plant.h"
#include "unit.h"

static int upper, host;

static struct hierarchy usr(void) {
	return (struct hierarchy){ .class = &classes[CLASS_SYSEXT],
				   .name = "usr",
				   .base = host };
}

static void read_text(const char *path, char ret[static 128]) {
	_cleanup_close_ int fd = scratch_open(path, O_RDONLY);
	ssize_t n = read(fd, ret, 127);

	ck_assert_int_ge(n, 0);
	ret[n] = '\0';
}

static bool is_there(const char *path) {
	return faccessat(scratch_fd, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

START_TEST(what_can_be_carried_is) {
	_cleanup_close_ int tree = -EBADF;
	struct written_left left = { 0 };
	const struct hierarchy h = usr();
	struct carry c;
	char text[128];

	scratch_mkdir("tree");
	tree = plant_open("tree");
	c = (struct carry){ .tree = tree };
	ck_assert_int_eq(carry_layer(&c, &h, upper, &left), 0);
	read_text("tree/usr/bin/tool", text);
	ck_assert_str_eq(text, "changed");
	read_text("tree/usr/new/deep/file", text);
	ck_assert_str_eq(text, "new");
	ck_assert(is_there("tree/usr/link"));
	/* Neither what is as it was, nor what cannot be carried. */
	ck_assert(!is_there("tree/usr/bin/same"));
	ck_assert(!is_there("tree/usr/fifo"));
	ck_assert(!is_there("tree/usr/share"));
	strv_sort(c.paths);
	ck_assert_uint_eq(strv_length(c.paths), 3);
	ck_assert_str_eq(c.paths[0], "usr/bin/tool");
	ck_assert_str_eq(c.paths[1], "usr/link");
	ck_assert_str_eq(c.paths[2], "usr/new/deep/file");
	ck_assert_uint_eq(c.n, 5); /* with the two directories that are new */
	ck_assert_uint_eq(left.n, 2);
	ck_assert_str_eq(left.items[0].path, "fifo");
	ck_assert_str_eq(left.items[1].path,
			 "share"); /* a directory where the host has a file */
	ck_assert(!left.items[0].is_whole && left.items[1].is_whole);
	written_left_done(&left);
	carry_done(&c);
	ck_assert_ptr_null(c.paths);
}
END_TEST

/* The hierarchy's own directory is not there for nothing. */
START_TEST(nothing_to_carry_makes_nothing) {
	_cleanup_close_ int tree = -EBADF, empty = -EBADF;
	struct written_left left = { 0 };
	const struct hierarchy h = usr();
	struct carry c;

	scratch_mkdir("bare");
	scratch_mkdir("nothing");
	tree = plant_open("bare");
	empty = plant_open("nothing");
	c = (struct carry){ .tree = tree };
	ck_assert_int_eq(carry_layer(&c, &h, empty, &left), 0);
	ck_assert_uint_eq(c.n + left.n, 0);
	ck_assert(!is_there("bare/usr"));
	carry_done(&c);
}
END_TEST

/* written.10: it replaces one that was written; the directories above it are made. */
START_TEST(release_file) {
	_cleanup_close_ int tree = -EBADF;
	char text[128];
	struct carry c;

	scratch_mkdir("released");
	tree = plant_open("released");
	c = (struct carry){ .tree = tree };
	for (unsigned i = 0; i < 2; i++) {
		ck_assert_int_eq(carry_release(&c, &classes[CLASS_CONFEXT], "site"), 0);
		read_text("released/etc/extension-release.d/extension-release.site", text);
		ck_assert_ptr_nonnull(strstr(text, "\nID=_any\n"));
		scratch_write(
			"released/etc/extension-release.d/extension-release.site",
			"ID=other and a text that is longer than the one that is written");
	}
	/* Not through a link that was written there. */
	scratch_write("victim", "kept");
	ck_assert_int_eq(
		unlinkat(scratch_fd,
			 "released/etc/extension-release.d/extension-release.site", 0),
		0);
	scratch_link("../../../victim",
		     "released/etc/extension-release.d/extension-release.site");
	ck_assert_int_eq(carry_release(&c, &classes[CLASS_CONFEXT], "site"), 0);
	read_text("victim", text);
	ck_assert_str_eq(text, "kept");
	carry_done(&c);
}
END_TEST

START_TEST(what_killed_runs_left_goes) {
	_cleanup_free_ char *stage = carry_stage_name("site"), *path = NULL;

	ck_assert_int_eq(*stage, '.'); /* discover.entries: it is no extension */
	scratch_mkdir("search");
	path = text_format("search/%s", stage);
	scratch_mkdir(path);
	scratch_mkdir("search/site");
	scratch_mkdir("search/.site");
	scratch_mkdir("search/.extmerge-commit"); /* the suffix of nothing */
	scratch_write("search/other.extmerge-commit", "kept");
	carry_sweep(scratch_fd, "search");
	ck_assert(!is_there(path));
	ck_assert(is_there("search/site") && is_there("search/.site") &&
		  is_there("search/.extmerge-commit") &&
		  is_there("search/other.extmerge-commit"));
	carry_sweep(scratch_fd, "none");
}
END_TEST

static void make_layers(void) {
	scratch_setup();
	ck_assert(plant("host", "bin/ bin/tool=old bin/same=x share=file"));
	ck_assert(plant("upper", "bin/ bin/tool=changed bin/same=x new/ new/deep/ "
				 "new/deep/file=new link>new fifo| share/ share/x=y"));
	upper = plant_open("upper");
	host = plant_open("host");
}

int main(void) {
	Suite *s = suite_create("carry");
	TCase *t = tcase_create("carry");

	tcase_add_unchecked_fixture(t, make_layers, scratch_teardown);
	tcase_add_test(t, what_can_be_carried_is);
	tcase_add_test(t, nothing_to_carry_makes_nothing);
	tcase_add_test(t, release_file);
	tcase_add_test(t, what_killed_runs_left_goes);
	suite_add_tcase(s, t);
	return unit_run(s);
}

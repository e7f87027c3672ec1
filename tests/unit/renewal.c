/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Proves that a written layer gets a new one in its place in one step, whichever way it ends (specs: written.5 to written.7). */
#include "merge/renewal.h"

#include "merge/file.h"
#include "merge/text.h"
#include "merge/workdir.h"
#include "merge/written.h"
#include "plant.h"
#include "unit.h"

#define FRESH "store/.etc.extmerge-new"

static bool is_there(const char *path) {
	return faccessat(scratch_fd, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* A layer as upper_find() has found it, at a path below the scratch directory. */
static struct upper find(void) {
	struct upper u = UPPER_NONE;

	u.mode = MUTABLE_YES;
	u.is_writable = true;
	u.path = strdup("/store/etc");
	u.directory = plant_open("store/etc");
	return u;
}

static void setup(void) {
	scratch_mkdir("store");
	ck_assert(plant("store/etc", "a=x d/ d/kept=x d/gone=x"));
}

static void teardown(void) {
	ck_assert_int_eq(workdir_remove(scratch_fd, "store"), 0);
}

static void begin(struct upper *u, const struct written_left *keeps) {
	_cleanup_free_ char *why = NULL;

	*u = find();
	ck_assert_int_eq(renewal_begin(u, scratch_fd, keeps, &why), 0);
	ck_assert(is_there(FRESH));
	ck_assert(is_there("store/etc/a")); /* nobody sees a change yet */
}

START_TEST(the_new_one_takes_its_place) {
	_cleanup_(upper_done) struct upper u;

	begin(&u, NULL);
	ck_assert_int_eq(renewal_exchange(&u), 0);
	ck_assert(!is_there("store/etc/a"));
	ck_assert(is_there(FRESH "/a"));
	renewal_end(&u, true);
	ck_assert(is_there("store/etc"));
	ck_assert(!is_there(FRESH));
}
END_TEST

START_TEST(what_does_not_come_to_be_goes) {
	_cleanup_(upper_done) struct upper u;

	begin(&u, NULL);
	renewal_end(&u, false);
	ck_assert(is_there("store/etc/a"));
	ck_assert(!is_there(FRESH));

	/* There and back. */
	upper_done(&u);
	begin(&u, NULL);
	ck_assert_int_eq(renewal_exchange(&u), 0);
	ck_assert_int_eq(renewal_exchange(&u), 0);
	renewal_end(&u, false);
	ck_assert(is_there("store/etc/a"));
	ck_assert(!is_there(FRESH));
}
END_TEST

/* Something else has come to the name meanwhile: it is not ours. */
START_TEST(others_are_left_alone) {
	_cleanup_(upper_done) struct upper u;

	begin(&u, NULL);
	ck_assert_int_eq(renewal_exchange(&u), 0);
	ck_assert_int_eq(renameat(scratch_fd, FRESH, scratch_fd, "store/aside"), 0);
	scratch_mkdir(FRESH);
	scratch_write(FRESH "/theirs", "x");
	renewal_end(&u, true);
	ck_assert(is_there(FRESH "/theirs"));
	ck_assert(is_there("store/aside/a"));
}
END_TEST

/* written.9: a file alone, or a directory with all that is in it. */
START_TEST(some_is_kept) {
	_cleanup_(upper_done) struct upper u;
	struct written_left keeps = { 0 };

	ck_assert_int_eq(written_leave(&keeps, "d/kept", "why", false), 0);
	begin(&u, &keeps);
	ck_assert_int_eq(renewal_exchange(&u), 0);
	ck_assert(is_there("store/etc/d/kept"));
	ck_assert(!is_there("store/etc/d/gone") && !is_there("store/etc/a"));
	renewal_end(&u, true);
	upper_done(&u);
	written_left_done(&keeps);

	ck_assert_int_eq(written_leave(&keeps, "d", "why", true), 0);
	scratch_write("store/etc/a", "x");
	scratch_write("store/etc/d/more", "x");
	begin(&u, &keeps);
	ck_assert_int_eq(renewal_exchange(&u), 0);
	ck_assert(is_there("store/etc/d/kept") && is_there("store/etc/d/more"));
	ck_assert(!is_there("store/etc/a"));
	renewal_end(&u, true);
	written_left_done(&keeps);
}
END_TEST

/* The new one looks like the old one, which only root came into while it was made. */
START_TEST(it_looks_like_the_old_one) {
	_cleanup_(upper_done) struct upper u;
	struct stat st;

	ck_assert_int_eq(fchmodat(scratch_fd, "store/etc", 0751, 0), 0);
	begin(&u, NULL);
	ck_assert_int_eq(fstatat(scratch_fd, FRESH, &st, 0), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0751);
	renewal_end(&u, false);
}
END_TEST

START_TEST(what_cannot_be_renewed) {
	_cleanup_free_ char *why = NULL;
	_cleanup_(upper_done) struct upper u = find();

	u.is_writable = false;
	ck_assert_int_eq(renewal_begin(&u, scratch_fd, NULL, &why), -ENODATA);
	u.is_writable = u.is_host = true;
	ck_assert_int_eq(renewal_begin(&u, scratch_fd, NULL, &why), -ENODATA);
	u.is_host = false;
	close_fdp(&u.directory);
	u.directory = -EBADF;
	ck_assert_int_eq(renewal_begin(&u, scratch_fd, NULL, &why), -ENODATA);
	ck_assert(!is_there(FRESH));
}
END_TEST

/* written.7: a run that was killed on the way. Which of the two is merged, the record says. */
START_TEST(what_a_killed_run_began_is_ended) {
	_cleanup_close_ int store = -EBADF, fresh = -EBADF;
	_cleanup_free_ char *id = NULL, *other = NULL;

	store = plant_open("store");
	ck_assert_int_eq(renewal_heal(store, "etc", NULL), 0); /* there was none */

	/* The old one is merged. */
	ck_assert(plant(FRESH, "new=x"));
	other = renewal_id(store);
	ck_assert_int_eq(renewal_heal(store, "etc", other), 0);
	ck_assert(is_there("store/etc/a") && !is_there(FRESH));
	ck_assert(plant(FRESH, "new=x"));
	ck_assert_int_eq(renewal_heal(store, "etc", NULL), 0);
	ck_assert(is_there("store/etc/a") && !is_there(FRESH));

	/* The new one is, and has not got the name. */
	ck_assert(plant(FRESH, "new=x"));
	fresh = plant_open(FRESH);
	id = renewal_id(fresh);
	ck_assert_int_eq(renewal_heal(store, "etc", id), 0);
	ck_assert(is_there("store/etc/new") && !is_there(FRESH));
	/* Now it has: what has the other name is the old one. */
	ck_assert(plant(FRESH, "old=x"));
	ck_assert_int_eq(renewal_heal(store, "etc", id), 0);
	ck_assert(is_there("store/etc/new") && !is_there(FRESH));
	ck_assert_ptr_null(renewal_id(-EBADF));
}
END_TEST

int main(void) {
	Suite *s = suite_create("renewal");
	TCase *t = tcase_create("renewal");

	tcase_add_unchecked_fixture(t, scratch_setup, scratch_teardown);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, the_new_one_takes_its_place);
	tcase_add_test(t, what_does_not_come_to_be_goes);
	tcase_add_test(t, others_are_left_alone);
	tcase_add_test(t, some_is_kept);
	tcase_add_test(t, it_looks_like_the_old_one);
	tcase_add_test(t, what_cannot_be_renewed);
	tcase_add_test(t, what_a_killed_run_began_is_ended);
	suite_add_tcase(s, t);
	return unit_run(s);
}

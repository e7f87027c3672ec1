/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is sent arrives, or is refused whole. */

#include <check.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fuse/parcel.h"
#include "unit.h"

static int ends[2];

static void connect_ends(void) {
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
}

static void close_ends(void) {
	close(ends[0]);
	close(ends[1]);
}

static bool is_same_file(int a, int b) {
	struct stat x, y;

	return fstat(a, &x) == 0 && fstat(b, &y) == 0 && x.st_ino == y.st_ino &&
	       x.st_dev == y.st_dev;
}

START_TEST(what_is_sent_arrives) {
	char one[] = "--one=1", none[] = "", name[] = "a\nb";
	char *argv[] = { one, none, name, NULL };
	int fds[PARCEL_FDS_MAX];
	struct parcel p;

	for (int i = 0; i < PARCEL_FDS_MAX; i++)
		fds[i] = open(i % 2 ? "/dev/null" : "/", O_RDONLY | O_CLOEXEC);
	for (size_t n = 1; n <= PARCEL_FDS_MAX; n++) {
		ck_assert_int_eq(parcel_send(ends[0], argv, fds, n), 0);
		ck_assert_int_eq(parcel_receive(ends[1], &p), 1);
		ck_assert_int_eq(p.argc, 3);
		for (int i = 0; i < 3; i++)
			ck_assert_str_eq(p.argv[i], argv[i]);
		ck_assert_ptr_null(p.argv[3]);
		ck_assert_uint_eq(p.n_fds, n);
		for (size_t i = 0; i < n; i++) {
			ck_assert(is_same_file(p.fds[i], fds[i]));
			ck_assert_int_eq(fcntl(p.fds[i], F_GETFD), FD_CLOEXEC);
		}
		parcel_done(&p);
	}
	close(ends[0]);
	ends[0] = -1;
	ck_assert_int_eq(parcel_receive(ends[1], &p), 0);
	for (int i = 0; i < PARCEL_FDS_MAX; i++)
		close(fds[i]);
}
END_TEST

START_TEST(too_much_is_refused) {
	char text[PARCEL_SIZE_MAX + 1], *argv[PARCEL_ARGS_MAX + 2] = { text, NULL };
	int fds[PARCEL_FDS_MAX + 1] = { 0 };
	struct parcel p;

	memset(text, 'x', sizeof(text));
	text[PARCEL_SIZE_MAX] = '\0';
	ck_assert_int_eq(parcel_send(ends[0], argv, fds, 1), -E2BIG);
	text[PARCEL_SIZE_MAX - 1] = '\0';
	ck_assert_int_eq(parcel_send(ends[0], argv, fds, 1), 0);
	ck_assert_int_eq(parcel_receive(ends[1], &p), 1);
	ck_assert_uint_eq(strlen(p.argv[0]), PARCEL_SIZE_MAX - 1);
	parcel_done(&p);
	ck_assert_int_eq(parcel_send(ends[0], argv, fds, PARCEL_FDS_MAX + 1), -E2BIG);
	text[0] = '\0';
	for (int i = 0; i <= PARCEL_ARGS_MAX; i++)
		argv[i] = text;
	ck_assert_int_eq(parcel_send(ends[0], argv, fds, 1), -E2BIG);
	argv[PARCEL_ARGS_MAX] = NULL;
	ck_assert_int_eq(parcel_send(ends[0], argv, fds, 1), 0);
	ck_assert_int_eq(parcel_receive(ends[1], &p), 1);
	ck_assert_int_eq(p.argc, PARCEL_ARGS_MAX);
	parcel_done(&p);
}
END_TEST

START_TEST(what_is_no_parcel_is_refused) {
	static const char many[PARCEL_SIZE_MAX + 1];
	struct parcel p;

	ck_assert_int_eq(send(ends[0], "abc", 3, 0), 3);
	ck_assert_int_eq(parcel_receive(ends[1], &p), -EBADMSG);
	ck_assert_int_eq(send(ends[0], many, PARCEL_ARGS_MAX + 1, 0), PARCEL_ARGS_MAX + 1);
	ck_assert_int_eq(parcel_receive(ends[1], &p), -EBADMSG);
	ck_assert_int_eq(send(ends[0], many, sizeof(many), 0), (int)sizeof(many));
	ck_assert_int_eq(parcel_receive(ends[1], &p), -EBADMSG);
}
END_TEST

START_TEST(nobody_is_there) {
	char name[] = "a", *argv[] = { name, NULL };
	const int fds[] = { 0 };

	close(ends[1]);
	ends[1] = -1;
	ck_assert_int_eq(parcel_send(ends[0], argv, fds, 1), -EPIPE);
}
END_TEST

int main(void) {
	Suite *suite = suite_create("parcel");
	TCase *tcase = tcase_create("parcel");

	tcase_add_checked_fixture(tcase, connect_ends, close_ends);
	tcase_add_test(tcase, what_is_sent_arrives);
	tcase_add_test(tcase, too_much_is_refused);
	tcase_add_test(tcase, what_is_no_parcel_is_refused);
	tcase_add_test(tcase, nobody_is_there);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}

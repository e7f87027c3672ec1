/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What fusermount3 is told, and what is made of what it does (union.22): a program of that name is this one, which notes how it
 * was started and then does what a file of its working directory says.
 */
#include <sys/socket.h>
#include <sys/wait.h>

#include "fuse/fusermount.h"
#include "merge/kernel.h"
#include "scratch.h"
#include "unit.h"

#define TEXT_MAX 4096

extern char **environ;

static char program[TEXT_MAX];

/* --- the program --- */

static void send_null(void) {
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = { { 0 } };
	char byte = 0;
	struct iovec iov = { &byte, 1 };
	struct msghdr m = { .msg_iov = &iov,
			    .msg_iovlen = 1,
			    .msg_control = &control,
			    .msg_controllen = sizeof(control) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);
	int null = open("/dev/null", O_RDONLY);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &null, sizeof(null));
	if (sendmsg(3, &m, 0) < 0)
		_exit(99);
}

static int be_program(int argc, char **argv) {
	FILE *calls = fopen("calls", "a");
	char how[32] = "";
	int fd = open("how", O_RDONLY);

	for (int i = 1; i < argc; i++)
		fprintf(calls, "%s%c", argv[i], i + 1 < argc ? ' ' : '\n');
	for (char **e = environ; *e; e++)
		fprintf(calls, "%s\n", *e);
	fclose(calls);
	if (fd < 0 || read(fd, how, sizeof(how) - 1) < 0)
		return 98;
	if (strcmp(how, "complain") == 0)
		fputs("fusermount3: no\x1bt for you\nnor for others\n", stderr);
	if (strcmp(how, "mount") == 0)
		send_null();
	if (strcmp(how, "word") == 0 && send(3, "x", 1, 0) < 0)
		return 97;
	if (strcmp(how, "die") == 0)
		abort();
	return strcmp(how, "complain") == 0;
}

/* --- the tests --- */

static const struct fusermount_options plain = { "source", 0 };

/* What the program noted, and forgets. */
static const char *calls(void) {
	static char text[TEXT_MAX];
	_cleanup_close_ int fd = scratch_open("calls", O_RDONLY);
	ssize_t n = read(fd, text, sizeof(text) - 1);

	ck_assert_int_ge(n, 0);
	text[n] = '\0';
	ck_assert_int_eq(unlinkat(scratch_fd, "calls", 0), 0);
	return text;
}

START_TEST(arguments) {
	const struct fusermount_options all = {
		"a,b\\c d", MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
				    MOUNT_ATTR_NOEXEC | MOUNT_ATTR_NOATIME |
				    MOUNT_ATTR_NOSYMFOLLOW
	};
	char why[FUSERMOUNT_WHY_MAX];
	_cleanup_close_ int fd = -EBADF, other = -EBADF;

	scratch_write("how", "mount");
	fd = fusermount_mount(program, scratch_fd, &all, why);
	ck_assert_int_ge(fd, 0);
	ck_assert(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	ck_assert_str_eq(calls(), "-o fsname=a\\,b\\\\c d,subtype=extmerge-fuse,"
				  "default_permissions,allow_other,ro,nosuid,nodev,noexec,"
				  "noatime -- .\n_FUSE_COMMFD=3\nLC_ALL=C\n");
	other = fusermount_mount(program, scratch_fd, &plain, why);
	ck_assert_int_ge(other, 0);
	ck_assert_str_eq(calls(), "-o fsname=source,subtype=extmerge-fuse,"
				  "default_permissions,allow_other -- .\n"
				  "_FUSE_COMMFD=3\nLC_ALL=C\n");
}
END_TEST

/* The first line counts, and nothing of it reaches a terminal that is no text. Ordinary users try again for themselves alone. */
START_TEST(complaint) {
	char why[FUSERMOUNT_WHY_MAX];
	const char *said;

	scratch_write("how", "complain");
	ck_assert_int_eq(fusermount_mount(program, scratch_fd, &plain, why), -EPERM);
	ck_assert_str_eq(why, "no?t for you");
	said = calls();
	ck_assert_ptr_nonnull(strstr(said, "default_permissions,allow_other -- ."));
	ck_assert_int_eq(strstr(said, "default_permissions -- .") != NULL, geteuid() != 0);
}
END_TEST

START_TEST(no_connection) {
	static const char *const hows[] = { "nothing", "word", "die" };
	char why[FUSERMOUNT_WHY_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(hows); i++) {
		scratch_write("how", hows[i]);
		ck_assert_msg(fusermount_mount(program, scratch_fd, &plain, why) == -EPERM,
			      "%s", hows[i]);
		ck_assert_str_eq(why, "");
	}
	ck_assert_int_eq(fusermount_mount("/nowhere/fusermount3", scratch_fd, &plain, why),
			 -EPERM);
	ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
}
END_TEST

START_TEST(unmount) {
	char why[FUSERMOUNT_WHY_MAX];
	_cleanup_close_ int fd = -EBADF, top = open("/", O_PATH);

	scratch_mkdir("odd name");
	fd = scratch_open("odd name", O_PATH);
	scratch_write("how", "nothing");
	ck_assert_int_eq(fusermount_unmount(program, fd, why), 0);
	ck_assert_str_eq(calls(), "-u -z -- odd name\n_FUSE_COMMFD=3\nLC_ALL=C\n");
	scratch_write("how", "complain");
	ck_assert_int_eq(fusermount_unmount(program, fd, why), -EPERM);
	ck_assert_str_eq(why, "no?t for you");
	ck_assert_int_eq(unlinkat(scratch_fd, "calls", 0), 0);
	ck_assert_int_eq(unlinkat(scratch_fd, "odd name", AT_REMOVEDIR), 0);
	ck_assert_int_eq(fusermount_unmount(program, fd, why), -ENOENT);
	ck_assert_int_eq(fusermount_unmount(program, top, why), -EBUSY);
	ck_assert_int_eq(faccessat(scratch_fd, "calls", F_OK, 0), -1);
}
END_TEST

START_TEST(what_keeps_it) {
	ck_assert_ptr_nonnull(fusermount_obstacle(program));
}
END_TEST

int main(int argc, char **argv) {
	Suite *s;
	TCase *t;
	ssize_t n;

	/* Before anything is allocated, which a sanitizer would miss at the end. */
	if (strcmp(argv[0], "fusermount3") == 0)
		return be_program(argc, argv);
	s = suite_create("fusermount");
	t = tcase_create("fusermount");
	n = readlink("/proc/self/exe", program, sizeof(program) - 1);
	program[n > 0 ? n : 0] = '\0';
	tcase_add_checked_fixture(t, scratch_setup, scratch_teardown);
	tcase_add_test(t, arguments);
	tcase_add_test(t, complaint);
	tcase_add_test(t, no_connection);
	tcase_add_test(t, unmount);
	tcase_add_test(t, what_keeps_it);
	suite_add_tcase(s, t);
	return unit_run(s);
}

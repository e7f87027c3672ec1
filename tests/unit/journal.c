/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What goes to journald, syslog and the service manager, as a socket of the test's own hears it (specs: log.*). */
#include "merge/journal.h"

#include <sys/socket.h>
#include <sys/un.h>

#include "merge/log.h"
#include "merge/text.h"
#include "scratch.h"
#include "unit.h"

static char heard[65536];

static int listen_at(const char *name, char path[static 108]) {
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	snprintf(path, 108, "%s/%s", scratch_path, name);
	strcpy(address.sun_path, path);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

/* The next datagram, or "" where there is none. */
static const char *hear(int fd) {
	ssize_t n = recv(fd, heard, sizeof(heard) - 1, 0);

	heard[n < 0 ? 0 : n] = '\0';
	return heard;
}

/* stderr becomes a file, which is then what JOURNAL_STREAM says, or not. */
static void redirect(FILE *to, bool is_stream) {
	struct stat st;
	char text[64];

	ck_assert_int_eq(fstat(fileno(to), &st), 0);
	snprintf(text, sizeof(text), "%llu:%llu%s", (unsigned long long)st.st_dev,
		 (unsigned long long)st.st_ino, is_stream ? "" : "1");
	setenv("JOURNAL_STREAM", text, 1);
	dup2(fileno(to), STDERR_FILENO);
}

static const char *file_text(FILE *f) {
	static char text[4096];
	ssize_t n;

	fflush(stderr);
	n = pread(fileno(f), text, sizeof(text) - 1, 0);
	text[n < 0 ? 0 : n] = '\0';
	return text;
}

/* log.2 */
START_TEST(fields_are_formatted) {
	static const char feed[] = "B\n\x03\0\0\0\0\0\0\0x\ny\n";
	const struct journal_field fields[] = {
		{ "A", "plain = text" }, { "NONE", NULL }, { "B", "x\ny" }, { "C", "" }
	};
	_cleanup_free_ char *text = NULL, *expected = NULL;
	size_t length;

	ck_assert_int_eq(journal_format(fields, ARRAY_SIZE(fields), &text, &length), 0);
	ck_assert_uint_eq(length, 15 + sizeof(feed) - 1 + 3);
	ck_assert_mem_eq(text, "A=plain = text\n", 15);
	ck_assert_mem_eq(text + 15, feed, sizeof(feed) - 1);
	ck_assert_mem_eq(text + length - 3, "C=\n", 3);
}
END_TEST

START_TEST(long_values_are_cut) {
	_cleanup_free_ char *value = malloc(100001), *text = NULL;
	const struct journal_field field = { "A", value };
	size_t length;

	memset(value, 'x', 100000);
	value[100000] = '\0';
	ck_assert_int_eq(journal_format(&field, 1, &text, &length), 0);
	ck_assert_uint_eq(length, 2 + 4096 + 1);
}
END_TEST

START_TEST(journald_takes_the_place_of_stderr) {
	_cleanup_fclose_ FILE *f = tmpfile();
	char path[108];
	_cleanup_close_ int fd = listen_at("journald", path);
	const struct journal_places places = { path, "/nonexistent" };

	redirect(f, true);
	journal_start(&places, false);
	ck_assert(journal_is_on());
	log_error("no \x1b[31m '%s'", "x");
	ck_assert_str_eq(hear(fd), "SYSLOG_IDENTIFIER=extmerge\nMESSAGE=no \\x1b[31m 'x'\n"
				   "PRIORITY=3\n");
	log_hint("try");
	ck_assert_str_eq(hear(fd),
			 "SYSLOG_IDENTIFIER=extmerge\nMESSAGE=try\nPRIORITY=6\n");
	log_detail("more");
	ck_assert_str_eq(hear(fd), "");
	ck_assert_str_eq(file_text(f), "");
	journal_stop();
	ck_assert(!journal_is_on());
	log_warning("afterwards");
	ck_assert_str_eq(file_text(f), "extmerge: warning: afterwards\n");
	ck_assert_str_eq(hear(fd), "");
}
END_TEST

/* Who has redirected stderr wants it there; and where nobody listens, it goes there as well. */
START_TEST(stderr_stays_what_it_is) {
	char path[108];
	_cleanup_close_ int fd = listen_at("journald", path);
	const struct journal_places there = { path, path },
				    nowhere = { "/nonexistent", "" };

	for (int is_stream = 0; is_stream < 2; is_stream++) {
		_cleanup_fclose_ FILE *f = tmpfile();

		redirect(f, is_stream);
		journal_start(is_stream ? &nowhere : &there, is_stream);
		ck_assert(!journal_is_on());
		log_notice("here");
		ck_assert_str_eq(file_text(f), "here\n");
		ck_assert_str_eq(hear(fd), "");
		journal_stop();
	}
	setenv("JOURNAL_STREAM", "nonsense", 1);
	journal_start(&there, false);
	ck_assert(!journal_is_on());
	unsetenv("JOURNAL_STREAM");
	journal_start(&there, false);
	ck_assert(!journal_is_on());
}
END_TEST

/* Another device, another inode, and what only begins as it should. */
START_TEST(another_stream_is_not_ours) {
	static const struct {
		unsigned device, inode;
		const char *behind;
		bool is_ours;
	} cases[] = {
		{ 0, 0, "", true },   { 1, 0, "", false },   { 0, 1, "", false },
		{ 0, 0, "x", false }, { 0, 0, ":1", false },
	};
	char path[108];
	_cleanup_close_ int fd = listen_at("another", path);
	const struct journal_places there = { path, path };
	_cleanup_fclose_ FILE *f = tmpfile();
	struct stat st;

	redirect(f, false);
	ck_assert_int_eq(fstat(STDERR_FILENO, &st), 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_free_ char *text =
			text_format("%llu:%llu%s",
				    (unsigned long long)st.st_dev + cases[i].device,
				    (unsigned long long)st.st_ino + cases[i].inode,
				    cases[i].behind);

		setenv("JOURNAL_STREAM", text, 1);
		journal_start(&there, false);
		ck_assert_msg(journal_is_on() == cases[i].is_ours, "%s", text);
		journal_stop();
	}
}
END_TEST

START_TEST(syslog_hears_at_boot) {
	_cleanup_fclose_ FILE *f = tmpfile();
	char path[108], expected[64];
	_cleanup_close_ int fd = listen_at("log", path);
	const struct journal_places places = { "/nonexistent", path };

	redirect(f, false);
	journal_start(&places, true);
	ck_assert(!journal_is_on());
	log_warning("careful");
	snprintf(expected, sizeof(expected), "<28>extmerge[%d]: careful", (int)getpid());
	ck_assert_str_eq(hear(fd), expected);
	ck_assert_str_eq(file_text(f), "extmerge: warning: careful\n");
	journal_stop();
}
END_TEST

/* log.5: nobody reads; what does not fit any more is seen on stderr, and nobody waits for ever. */
START_TEST(who_does_not_read_is_given_up) {
	_cleanup_fclose_ FILE *f = tmpfile();
	char path[108];
	_cleanup_close_ int fd = listen_at("deaf", path);
	const struct journal_places places = { path, path };

	redirect(f, true);
	journal_start(&places, false);
	for (unsigned i = 0; journal_is_on() && i < 100000; i++)
		log_notice("once more");
	ck_assert(!journal_is_on());
	ck_assert_str_eq(file_text(f), "once more\n");
	ck_assert_str_ne(hear(fd), "");
	journal_stop();
	redirect(f, false);
	journal_start(&places, true);
	for (unsigned i = 0; i < 1000; i++)
		log_notice("and to syslog");
	journal_stop();
}
END_TEST

/* log.4 */
START_TEST(status_is_told) {
	char path[108];
	_cleanup_close_ int fd = listen_at("notify", path);

	unsetenv("NOTIFY_SOCKET");
	journal_status("nobody asks");
	ck_assert_str_eq(hear(fd), "");
	setenv("NOTIFY_SOCKET", path, 1);
	journal_status("two\nlines");
	ck_assert_str_eq(hear(fd), "STATUS=two\\x0alines");
	setenv("NOTIFY_SOCKET", "/nonexistent", 1);
	journal_status("nobody hears");
	setenv("NOTIFY_SOCKET", "", 1);
	journal_status("nobody hears");
}
END_TEST

START_TEST(status_by_an_abstract_socket) {
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	_cleanup_close_ int fd = socket(AF_UNIX,
					SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	char name[64];
	int n = snprintf(name, sizeof(name), "@extmerge-unit-%d", (int)getpid());

	memcpy(address.sun_path + 1, name + 1, (size_t)n - 1);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address,
			      (socklen_t)(offsetof(struct sockaddr_un, sun_path) +
					  (size_t)n)),
			 0);
	setenv("NOTIFY_SOCKET", name, 1);
	journal_status("heard");
	ck_assert_str_eq(hear(fd), "STATUS=heard");
}
END_TEST

int main(void) {
	Suite *suite = suite_create("journal");
	TCase *tcase = tcase_create("journal");

	tcase_add_unchecked_fixture(tcase, scratch_setup, scratch_teardown);
	tcase_add_test(tcase, fields_are_formatted);
	tcase_add_test(tcase, long_values_are_cut);
	tcase_add_test(tcase, journald_takes_the_place_of_stderr);
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, who_does_not_read_is_given_up);
	tcase_add_test(tcase, status_is_told);
	tcase_add_test(tcase, status_by_an_abstract_socket);
	suite_add_tcase(suite, tcase);
	tcase = tcase_create("stderr");
	tcase_add_unchecked_fixture(tcase, scratch_setup, scratch_teardown);
	tcase_add_test(tcase, stderr_stays_what_it_is);
	tcase_add_test(tcase, another_stream_is_not_ours);
	suite_add_tcase(suite, tcase);
	tcase = tcase_create("syslog");
	tcase_add_unchecked_fixture(tcase, scratch_setup, scratch_teardown);
	tcase_add_test(tcase, syslog_hears_at_boot);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}

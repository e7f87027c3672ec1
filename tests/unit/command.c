/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Programs are run without a shell, are heard, and end in time (specs: hook.4). */
#include "merge/command.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unit.h"

#define PATIENCE 30000

static struct command_result run(const char *script, unsigned milliseconds) {
	char *const arguments[] = { (char *)"sh", (char *)"-c", (char *)script, NULL };
	struct command_result r;

	ck_assert_int_eq(command_run("/bin/sh", arguments, -EBADF, milliseconds, &r), 0);
	return r;
}

START_TEST(ends) {
	static const struct {
		const char *script, *said, *complaint;
		enum command_end end;
		int status;
	} table[] = {
		{ "exit 0", NULL, "", COMMAND_DONE, 0 },
		{ "echo a; echo b >&2", "a b", "", COMMAND_DONE, 0 },
		{ "echo why; exit 3", "why", "exit status 3: why", COMMAND_FAILED, 3 },
		{ "exit 3", NULL, "exit status 3", COMMAND_FAILED, 3 },
		{ "kill -9 $$", NULL, "ended by signal 9", COMMAND_KILLED, SIGKILL },
		{ "read x; echo \"[$x]\"", "[]", "", COMMAND_DONE, 0 },
		{ "echo $HOME.$EXTMERGE.$LC_ALL", "..C", "", COMMAND_DONE, 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		struct command_result r = run(table[i].script, PATIENCE);
		_cleanup_free_ char *complaint = command_complaint(&r);

		ck_assert_int_eq(r.end, table[i].end);
		ck_assert_int_eq(r.status, table[i].status);
		ck_assert_pstr_eq(r.said, table[i].said);
		ck_assert_str_eq(complaint, table[i].complaint);
		command_result_done(&r);
	}
}
END_TEST

static void expect_timeout(const char *script, const char *said) {
	struct command_result r = run(script, 100);
	_cleanup_free_ char *complaint = command_complaint(&r);

	ck_assert_int_eq(r.end, COMMAND_TIMEOUT);
	ck_assert_str_eq(complaint, said);
	command_result_done(&r);
}

START_TEST(too_long) {
	expect_timeout("sleep 1000 & sleep 1000", "it took too long, and was ended");
}
END_TEST

/* Descriptors for the command's output and input, and none for a pidfd. */
static struct rlimit leave_two_descriptors(void) {
	struct rlimit before, few;
	int lowest = open("/dev/null", O_RDONLY | O_CLOEXEC);

	ck_assert_int_ge(lowest, 0);
	close(lowest);
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
	few = before;
	few.rlim_cur = (rlim_t)lowest + 2;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
	return before;
}

START_TEST(too_long_where_the_kernel_does_not_tell) {
	const struct rlimit before = leave_two_descriptors();
	struct command_result r;

	expect_timeout("sleep 1000 & sleep 1000", "it took too long, and was ended");
	r = run("sleep 0.1; exit 3", PATIENCE);
	ck_assert_int_eq(r.end, COMMAND_FAILED);
	ck_assert_int_eq(r.status, 3);
	command_result_done(&r);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
}
END_TEST

/* Our own limit is a high one; theirs is what programs are used to, and ours is afterwards what it was. */
START_TEST(descriptors) {
	struct rlimit before, after;
	struct command_result r;

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
	before.rlim_cur = before.rlim_max;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
	r = run("ulimit -S -n", PATIENCE);
	ck_assert_int_eq(atoi(r.said),
			 before.rlim_max < 1024 ? (int)before.rlim_max : 1024);
	command_result_done(&r);
	r = run("ulimit -H -n", PATIENCE);
	if (before.rlim_max != RLIM_INFINITY)
		ck_assert_int_eq(atoi(r.said), (int)before.rlim_max);
	command_result_done(&r);
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &after), 0);
	ck_assert(after.rlim_cur == before.rlim_cur && after.rlim_max == before.rlim_max);
}
END_TEST

/* Who stays behind keeps what it may write to, and nobody waits for it. */
START_TEST(a_daemon_is_not_waited_for) {
	struct command_result r = run("sleep 1000 & echo $!", PATIENCE);

	ck_assert_int_eq(r.end, COMMAND_DONE);
	ck_assert_int_eq(kill((pid_t)atoi(r.said), SIGKILL), 0);
	command_result_done(&r);
}
END_TEST

START_TEST(much_is_said) {
	struct command_result r = run(
		"i=0; while [ $i -lt 20000 ]; do echo line$i; i=$((i+1)); done 2>/dev/null; exit 1",
		PATIENCE);

	ck_assert_int_eq(r.end, COMMAND_FAILED);
	ck_assert_uint_le(strlen(r.said), 400);
	command_result_done(&r);
}
END_TEST

START_TEST(what_is_not_there) {
	static const char *const none[] = { "/nonexistent/a", "/etc/passwd/b", NULL },
				 *const some[] = { "/nonexistent/a", "/bin/sh", NULL };
	char *const arguments[] = { (char *)"x", NULL };
	struct command_result r;

	ck_assert_ptr_null(command_find(none));
	ck_assert_str_eq(command_find(some), "/bin/sh");
	ck_assert_int_eq(command_run("/nonexistent", arguments, -EBADF, PATIENCE, &r),
			 -ENOENT);
}
END_TEST

int main(void) {
	return unit_main("command",
			 (const TTest *const[]){ ends, too_long,
						 too_long_where_the_kernel_does_not_tell,
						 descriptors, a_daemon_is_not_waited_for,
						 much_is_said, what_is_not_there, NULL });
}

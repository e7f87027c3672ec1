/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whether a server is there: this process is, its child is until it ends, and no other start time fits. */

#include <check.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "merge/process.h"
#include "merge/text.h"
#include "unit.h"

START_TEST(own_process_is_alive) {
	_cleanup_free_ char *text = NULL;

	ck_assert_int_eq(prctl(PR_SET_NAME, "a) Z 1 (b"), 0);
	text = process_describe(getpid());
	ck_assert_ptr_nonnull(text);
	ck_assert(process_is_alive(text));
	ck_assert_int_eq(process_find(text), getpid());
}
END_TEST

START_TEST(ended_process_is_not) {
	_cleanup_free_ char *text = NULL;
	int pipes[2];
	pid_t child;
	char byte;

	ck_assert_int_eq(pipe(pipes), 0);
	child = fork();
	if (child == 0) {
		close(pipes[1]);
		_exit(read(pipes[0], &byte, 1) < 0);
	}
	text = process_describe(child);
	ck_assert(process_is_alive(text));
	close(pipes[1]);
	ck_assert_int_eq(waitid(P_PID, (id_t)child, &(siginfo_t){ 0 }, WEXITED | WNOWAIT),
			 0);
	ck_assert_msg(!process_is_alive(text), "while it is a zombie");
	ck_assert_int_eq(waitpid(child, NULL, 0), child);
	ck_assert_msg(!process_is_alive(text), "when it is gone");
	close(pipes[0]);
}
END_TEST

START_TEST(other_process_of_its_number_is_not) {
	_cleanup_free_ char *text = text_format("%d 1", (int)getpid());

	ck_assert(!process_is_alive(text));
	ck_assert_int_eq(process_find(text), -ESRCH);
}
END_TEST

START_TEST(what_says_nothing_is_left_alone) {
	ck_assert_int_eq(process_find("7"), -ESRCH);
	ck_assert(process_is_alive(""));
	ck_assert(process_is_alive("7"));
	ck_assert(process_is_alive("1 -2"));
}
END_TEST

int main(void) {
	return unit_main("process", (const TTest *const[]){
					    own_process_is_alive, ended_process_is_not,
					    other_process_of_its_number_is_not,
					    what_says_nothing_is_left_alone, NULL });
}

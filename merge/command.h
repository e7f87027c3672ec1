/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A program of the system that is run: by its path, without a shell, in an environment of ours, and not for longer
 * than it is given (specs: hook.4).
 */
#pragma once

#include "base.h"

enum command_end {
	COMMAND_DONE, /* exit status 0 */
	COMMAND_FAILED,
	COMMAND_KILLED,	 /* by a signal of somebody else */
	COMMAND_TIMEOUT, /* by us, with all that it had started */
};

struct command_result {
	enum command_end end;
	int status; /* exit status of COMMAND_FAILED, signal of COMMAND_KILLED */
	char *said; /* the end of what it printed, owned; NULL where it was silent */
};

/* The first of the paths (NULL-terminated) that may be executed, or NULL. */
const char *command_find(const char *const *paths);

/*
 * Runs `path` with the arguments (strv, the first is its name), the file `input` or nothing (a negative number) on stdin, and waits. 0 with *ret, which
 * command_result_done() ends; or a negative errno where it could not be started.
 */
int command_run(const char *path, char *const *arguments, int input,
		unsigned milliseconds, struct command_result *ret);

/* A sentence on a program that has not ended well, which the caller owns; NULL where memory ran out. */
char *command_complaint(const struct command_result *r);

void command_result_done(struct command_result *r);

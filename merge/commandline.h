/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The options of the command line. The functions say themselves what is wrong. */
#pragma once

#include "options.h"

enum commandline_wish { COMMANDLINE_VERB, COMMANDLINE_HELP, COMMANDLINE_VERSION };

/* What else is known of it. */
struct commandline {
	enum commandline_wish wish;
	uint64_t given; /* a bit for each row of option.h */
};

/*
 * Takes the options, which may stand before and after the verb, to *o, whose lists are the caller's to free; the words that
 * are left stand at the end of `argv`, from optind on. *ret is zeroed by the caller.
 */
enum exit_code commandline_parse(int argc, char **argv, struct options *o,
				 struct commandline *ret);

/* cli.options: whether the verb takes what is given. EXIT_DONE or EXIT_USAGE. */
enum exit_code commandline_check(const struct commandline *c, const char *verb);

/* Says that `what` is wrong with `given`, and the nearest of the NULL-terminated `words`, if there are any. EXIT_USAGE. */
enum exit_code commandline_refuse(const char *what, const char *given,
				  const char *const *words);

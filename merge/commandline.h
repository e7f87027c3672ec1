/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The options of the command line. The functions say themselves what is wrong. */
#pragma once

#include "options.h"

enum commandline_wish { COMMANDLINE_VERB, COMMANDLINE_HELP, COMMANDLINE_VERSION };

/*
 * Takes the options, which may stand before and after the verb, to *o, whose lists are the caller's to free; the words that
 * are left stand at the end of `argv`, from optind on. *ret_wish is changed if something else than a verb is wanted.
 */
enum exit_code commandline_parse(int argc, char **argv, struct options *o,
				 enum commandline_wish *ret_wish);

/* One line for each, on stdout. */
void commandline_print_options(void);

/* Says that `what` is wrong with `given`, and the nearest of the NULL-terminated `words`, if there are any. EXIT_USAGE. */
enum exit_code commandline_refuse(const char *what, const char *given,
				  const char *const *words);

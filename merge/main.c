/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* extmerge: the command line. */
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "boot.h"
#include "commandline.h"
#include "journal.h"
#include "log.h"
#include "strv.h"
#include "verbs/verbs.h"

#define LOCK_WAIT_SECONDS 30

static const struct verb *const verbs[] = {
	&verb_status,	       &verb_list,    &verb_plan,    &verb_merge,
	&verb_refresh,	       &verb_unmerge, &verb_inspect, &verb_why,
	&verb_verify,	       &verb_pack,    &verb_config,  &verb_run,
	&verb_service_drop_in, &verb_diff,    &verb_discard, &verb_commit,
};

static void print_help(void) {
	puts("extmerge [OPTION...] [VERB] [OPERAND]\n\n"
	     "Merges system extensions into /usr and /opt and configuration extensions into /etc,\n"
	     "without a moment in which their files are missing.\n\nVerbs:");
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
		printf("  %-15s %-10s %s\n", verbs[i]->name, verbs[i]->operands ?: "",
		       verbs[i]->help);
	commandline_print_options();
	puts("\nExit status: 0 done or nothing to do; 1 failed, what was merged before is in place;\n"
	     "2 wrong call; 3 something was skipped, with --strict; 4 refused by policy; 5 privilege or\n"
	     "kernel ability missing; 6 another run holds the lock; 10 plan: changes are pending.\n\n"
	     "See extmerge(8).");
}

static const struct verb *find_verb(const char *name) {
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
		if (strcmp(verbs[i]->name, name) == 0)
			return verbs[i];
	return NULL;
}

static enum exit_code run_verb(int n, char **words, struct options *o) {
	const struct verb *verb = n > 0 ? find_verb(words[0]) : &verb_status;
	const char *names[ARRAY_SIZE(verbs) + 1] = { NULL };

	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
		names[i] = verbs[i]->name;
	if (!verb)
		return commandline_refuse("Unknown verb", words[0], names);
	n -= n > 0;
	if (n < verb->min || n > verb->max) {
		log_error("'%s' takes %s%s", verb->name,
			  verb->max == 0   ? "no operand"
			  : verb->max == 1 ? "one "
					   : "",
			  verb->operands ?: "");
		return EXIT_USAGE;
	}
	o->operands = words + 1;
	return verb->run(o);
}

/* Every extension keeps a few fds, and 500 of them shall not depend on a shell's soft limit. */
static void raise_fd_limit(struct rlimit *ret_before) {
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return;
	*ret_before = limit;
	if (limit.rlim_cur < limit.rlim_max) {
		limit.rlim_cur = limit.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &limit);
	}
}

/* What is opened later must not become somebody's stdin, stdout or stderr. */
static bool has_standard_fds(void) {
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd < 0)
		return fcntl(STDERR_FILENO, F_GETFD) >= 0;
	close(fd);
	return true;
}

/* boot.1 may say that there is nothing to do. */
static enum exit_code begin_and_run(int n, char **words, struct options *o) {
	bool done = false;
	enum exit_code code;

	journal_start(&journal_places_default, o->boot != BOOT_NO);
	code = boot_prepare(o, &done);
	return code == EXIT_DONE && !done ? run_verb(n, words, o) : code;
}

static enum exit_code fulfil(enum commandline_wish wish, int n, char **words,
			     struct options *o) {
	switch (wish) {
	case COMMANDLINE_HELP:
		print_help();
		return EXIT_DONE;
	case COMMANDLINE_VERSION:
		puts("extmerge " PACKAGE_VERSION);
		return EXIT_DONE;
	case COMMANDLINE_VERB:
		break;
	}
	return begin_and_run(n, words, o);
}

int main(int argc, char **argv) {
	struct options o = { .root = "/",
			     .classes = { true, true },
			     .legend = true,
			     .lock_wait = LOCK_WAIT_SECONDS * 1000,
			     .fd_limit = { RLIM_INFINITY, RLIM_INFINITY } };
	enum commandline_wish wish = COMMANDLINE_VERB;
	enum exit_code code;

	if (!has_standard_fds())
		return EXIT_FAILED;
	o.umask = umask(022);
	raise_fd_limit(&o.fd_limit);
	code = commandline_parse(argc, argv, &o, &wish);
	if (code == EXIT_DONE)
		code = fulfil(wish, argc - optind, argv + optind, &o);
	strv_free(o.force);
	strv_free(o.with);
	if (fflush(stdout) != 0 && code == EXIT_DONE)
		code = EXIT_FAILED;
	return code;
}

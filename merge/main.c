/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* extmerge: the command line. */
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "boot.h"
#include "commandline.h"
#include "help.h"
#include "journal.h"
#include "log.h"
#include "strv.h"
#include "verbs/verbs.h"

#define LOCK_WAIT_SECONDS 30
#define WRITERS_WAIT_SECONDS 5

/* In the order of --help: looking, changing, what was written, images, commands. */
static const struct verb *const verbs[] = {
	&verb_status,
	&verb_list,
	&verb_plan,
	&verb_why,
	&verb_config,
	&verb_merge,
	&verb_refresh,
	&verb_adopt,
	&verb_unmerge,
	&verb_diff,
	&verb_commit,
	&verb_discard,
	&verb_inspect,
	&verb_verify,
	&verb_pack,
	&verb_run,
	&verb_service_drop_in,
	&verb_sysupdate_notify,
	NULL,
};

static const struct verb *find_verb(const char *name) {
	for (size_t i = 0; verbs[i]; i++)
		if (strcmp(verbs[i]->name, name) == 0)
			return verbs[i];
	return NULL;
}

static enum exit_code refuse_verb(const char *word) {
	const char *names[ARRAY_SIZE(verbs)] = { NULL };

	for (size_t i = 0; verbs[i]; i++)
		names[i] = verbs[i]->name;
	return commandline_refuse("Unknown verb", word, names);
}

static enum exit_code check_operands(const struct verb *verb, int n) {
	if (n >= verb->min && n <= verb->max)
		return EXIT_DONE;
	log_error("'%s' takes %s%s", verb->name,
		  verb->max == 0   ? "no operand"
		  : verb->max == 1 ? "one "
				   : "",
		  verb->operands ?: "");
	log_hint("extmerge %s --help", verb->name);
	return EXIT_USAGE;
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
static enum exit_code run_verb(const struct verb *verb, struct options *o) {
	bool done = false;
	enum exit_code code;

	code = boot_prepare(o, &done);
	return code == EXIT_DONE && !done ? verb->run(o) : code;
}

static enum exit_code fulfil(const struct commandline *c, int n, char **words,
			     struct options *o) {
	const struct verb *verb = n > 0 ? find_verb(words[0]) : &verb_status;
	enum exit_code code;

	if (c->wish == COMMANDLINE_VERSION) {
		puts("extmerge " PACKAGE_VERSION);
		return EXIT_DONE;
	}
	journal_start(&journal_places_default, o->boot != BOOT_NO);
	if (!verb)
		return refuse_verb(words[0]);
	if (c->wish == COMMANDLINE_HELP) {
		help_print(verbs, n > 0 ? verb : NULL);
		return EXIT_DONE;
	}
	code = check_operands(verb, n - (n > 0));
	if (code == EXIT_DONE)
		code = commandline_check(c, verb->name);
	o->operands = words + (n > 0);
	return code == EXIT_DONE ? run_verb(verb, o) : code;
}

int main(int argc, char **argv) {
	struct options o = { .root = "/",
			     .classes = { true, true },
			     .legend = true,
			     .lock_wait = LOCK_WAIT_SECONDS * 1000,
			     .writers_wait = WRITERS_WAIT_SECONDS * 1000,
			     .fd_limit = { RLIM_INFINITY, RLIM_INFINITY } };
	struct commandline line = { 0 };
	enum exit_code code;

	if (!has_standard_fds())
		return EXIT_FAILED;
	o.umask = umask(022);
	raise_fd_limit(&o.fd_limit);
	code = commandline_parse(argc, argv, &o, &line);
	if (code == EXIT_DONE)
		code = fulfil(&line, argc - optind, argv + optind, &o);
	strv_free(o.force);
	strv_free(o.with);
	if (fflush(stdout) != 0 && code == EXIT_DONE)
		code = EXIT_FAILED;
	return code;
}

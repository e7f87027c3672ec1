/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the command line asks for. Travels const. */
#pragma once

#include <sys/resource.h>
#include <sys/types.h>

#include "bootswitch.h"
#include "guard.h"
#include "initscript.h"
#include "settings.h"

enum options_json { JSON_OFF, JSON_SHORT, JSON_PRETTY };

/* What is given for one hierarchy only. Texts are borrowed. */
struct options_given {
	enum settings_key key;
	const char *hierarchy; /* "usr", not terminated */
	size_t hierarchy_len;
	const char *text;
};
#define OPTIONS_GIVEN_MAX 32

struct options {
	const char *root;
	bool classes[CLASS_COUNT];
	bool strict; /* all or nothing */
	bool force_all;
	char **force;	     /* names (strv, owned) */
	char **with;	     /* run: images and directories (strv, owned) */
	const char *service; /* whose extensions come on top of the host's, or NULL; borrowed */
	pid_t pid;	     /* refresh: of whose namespace, or 0 */
	bool all_services; /* refresh */
	enum init init;	   /* service-drop-in */
	/* what is given in place of the configuration: texts that settings_set() takes, or NULL; borrowed */
	const char *given[SETTINGS_KEY_COUNT];
	struct options_given given_of[OPTIONS_GIVEN_MAX]; /* says more than `given` */
	size_t n_given_of;
	enum guard_choice verity;
	enum cryptsetup_corruption on_corruption;
	enum options_json json;
	bool verbose;
	enum boot_stage boot;
	bool legend;	       /* table headings and the closing line */
	unsigned lock_wait;    /* milliseconds */
	unsigned writers_wait; /* the same, for files that are open for writing */
	bool cuts_writers_off;
	/* pack; borrowed, NULL where not given */
	const char *format, *key, *certificate, *architecture;
	bool reproducible, overwrite;
	/* what this process was started with: a command that it becomes gets it back */
	mode_t umask;
	struct rlimit fd_limit;
	char *const *operands; /* what follows the verb; borrowed, NULL-terminated */
};

/* specs: cli.exit. */
enum exit_code {
	EXIT_DONE = 0,
	EXIT_FAILED = 1, /* the old set is still in place */
	EXIT_USAGE = 2,
	EXIT_SKIPPED = 3, /* with --strict: something does not fit, nothing was changed */
	EXIT_REFUSED = 4, /* by policy */
	EXIT_PRIVILEGE = 5, /* or an ability of the kernel is missing */
	EXIT_LOCKED = 6,
	EXIT_PENDING = 10, /* plan: a refresh would change something */
};

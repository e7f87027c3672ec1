/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Users and groups that extensions ask for, made before a merged /etc is read-only (specs: hook.9): on the host's own
 * files, by its own systemd-sysusers, in the workshop, where nothing is merged.
 */
#pragma once

#include "command.h"

struct accounts {
	int lines;    /* a file in memory with what the extensions say */
	char **names; /* files that the host has instead (strv) */
	bool is_any;
};

#define ACCOUNTS_NONE \
	{ .lines = -EBADF }

/*
 * Adds the files of a layer with the root `fd` of the hierarchy "usr" or "etc". One that the host, whose root is `host`,
 * replaces in /etc or /run is the host's. 0 or a negative errno.
 */
int accounts_add(struct accounts *a, int fd, const char *hierarchy, int host);

/* The host's systemd-sysusers, or NULL. */
const char *accounts_program(void);

/* Makes them; as command_run(). */
int accounts_make(const struct accounts *a, unsigned milliseconds,
		  struct command_result *ret);

void accounts_done(struct accounts *a);

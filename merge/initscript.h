/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What makes a service of OpenRC, runit or s6 one with extensions of its own (specs: dropin.5 to dropin.7). Pure. */
#pragma once

#include "base.h"

#define INITSCRIPT_SIZE_MAX ((size_t)256 * 1024) /* bytes of a file */

enum init { INIT_SYSTEMD, INIT_OPENRC, INIT_RUNIT, INIT_S6 };

/* "systemd", "openrc", "runit" or "s6". 0 or -EINVAL. */
int init_from(const char *word, enum init *ret);

/* What was found in a service's script of OpenRC and in its configuration. */
struct initscript {
	bool is_whole; /* it starts in a way of its own: all of that has to be done in the namespace */
	bool has_command, has_reload;
	char *obstacle; /* "it has reload_pre() of its own": an owned sentence, or NULL */
};

/*
 * Adds `len` bytes of a shell script to *s, which is all zero at first: the script itself, which must be OpenRC's, or
 * (`is_script` false) its file in conf.d. 0, -ENOMEM, or -EBADMSG for text with NUL bytes.
 */
int initscript_add(struct initscript *s, const char *text, size_t len, bool is_script);
void initscript_done(struct initscript *s);

/*
 * What to put into place for the service `name`, by the program `self`: for OpenRC the end of its conf.d file (`is_whole` as above), for the
 * others a script that makes the files. The caller owns it; NULL where memory ran out.
 */
char *initscript_print(enum init i, const char *name, const char *self, bool is_whole);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a unit file of systemd says, as far as a drop-in for it needs that (specs: dropin.*). Pure. */
#pragma once

#include "base.h"

#define UNITFILE_SIZE_MAX ((size_t)256 * 1024) /* bytes of a file */

/* All of section [Service]; NULL where nothing is said. */
struct unitfile {
	char **start, **reload; /* ExecStart=, ExecReload=, in order (strv) */
	char *type, *user, *group, *reload_signal;
	char *obstacle; /* "DynamicUser=yes": what a wrapped command cannot have, or NULL */
};

/*
 * Adds what `len` bytes of a unit file or a drop-in say to *u, which is all zero at first: an empty list resets it, other
 * values replace. 0, -ENOMEM, or -EBADMSG for text with NUL bytes.
 */
int unitfile_add(struct unitfile *u, const char *text, size_t len);
void unitfile_done(struct unitfile *u);

/*
 * The drop-in that starts the service `name` with extensions of its own by the program `self`; the caller owns it. 0,
 * -ENOMEM, or -EOPNOTSUPP with *ret_why, an owned sentence.
 */
int unitfile_wrap(const struct unitfile *u, const char *name, const char *self,
		  char **ret, char **ret_why);

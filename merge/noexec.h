/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whether files in a merged tree may be executed. Pure (specs: switch.16). */
#pragma once

#include "class.h"

enum noexec { NOEXEC_AUTO, NOEXEC_YES, NOEXEC_NO };

/* The word of NoExec=, or -EINVAL; and back. */
int noexec_from(const char *text, enum noexec *ret);
const char *noexec_text(enum noexec n);

/*
 * Whether nothing may be executed in a tree of the class. `runs_scripts` says that the host's init is one that executes what
 * lies in /etc (host.h).
 */
bool noexec_holds(enum noexec n, const struct class *class, bool runs_scripts);

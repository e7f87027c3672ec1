/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A process that a merged tree depends on, named so that a later run can tell whether it lives. */
#pragma once

#include "base.h"

/* Number and start time, as text that the caller owns; NULL where memory ran out. */
char *process_describe(pid_t pid);

/* The number of that very process, or -ESRCH where it is not there, or the text is none of the above's. */
pid_t process_find(const char *text);

/* Whether that very process is still there. A text that is none of the above's counts as alive. */
bool process_is_alive(const char *text);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Talk for people, on stderr. Only the verbs and the steps' callers log; what is below returns. */
#pragma once

#include "base.h"

enum log_level { LOG_QUIET, LOG_NORMAL, LOG_VERBOSE };

void log_set_level(enum log_level level);

/*
 * Who gets each line as well, with a priority of syslog(3) and without a prefix; where it returns true, stderr does not.
 * Lines that the level leaves out are not given. NULL for nobody.
 */
typedef bool log_sink(int priority, const char *text);
void log_set_sink(log_sink *sink);

/* Whether only errors are wanted. */
bool log_is_quiet(void);

/* "extmerge: error: ..."; always shown. */
void log_error(const char *format, ...) _printf_(1, 2);

/* "extmerge: warning: ..."; not with --quiet. */
void log_warning(const char *format, ...) _printf_(1, 2);

/* "  hint: ...", below an error or warning; not with --quiet. */
void log_hint(const char *format, ...) _printf_(1, 2);

/* A line about what was done; not with --quiet. */
void log_notice(const char *format, ...) _printf_(1, 2);

/* A line about how; only with --verbose. */
void log_detail(const char *format, ...) _printf_(1, 2);

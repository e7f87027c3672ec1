/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Talk for people, on stderr. */
#include "log.h"

#include <stdarg.h>

#include "text.h"

static enum log_level log_level = LOG_NORMAL;
static log_sink *log_sink_now;

void log_set_level(enum log_level level) {
	log_level = level;
}

bool log_is_quiet(void) {
	return log_level == LOG_QUIET;
}

void log_set_sink(log_sink *sink) {
	log_sink_now = sink;
}

/* Names from outside are in many messages: a terminal gets nothing that it would obey. */
static void talk(int priority, const char *prefix, const char *format, va_list ap) {
	_cleanup_free_ char *text = NULL, *escaped = NULL;

	if (vasprintf(&text, format, ap) < 0)
		text = NULL;
	escaped = text ? text_escape(text) : NULL;
	if (log_sink_now && log_sink_now(priority, escaped ?: "out of memory"))
		return;
	fprintf(stderr, "%s%s\n", prefix, escaped ?: "out of memory");
}

#define TALK(least, priority, prefix)               \
	do {                                        \
		va_list ap;                         \
                                                    \
		if (log_level < (least))            \
			return;                     \
		va_start(ap, format);               \
		talk(priority, prefix, format, ap); \
		va_end(ap);                         \
	} while (0)

void log_error(const char *format, ...) {
	TALK(LOG_QUIET, 3, "extmerge: error: ");
}

void log_warning(const char *format, ...) {
	TALK(LOG_NORMAL, 4, "extmerge: warning: ");
}

void log_hint(const char *format, ...) {
	TALK(LOG_NORMAL, 6, "  hint: ");
}

void log_notice(const char *format, ...) {
	TALK(LOG_NORMAL, 6, "");
}

void log_detail(const char *format, ...) {
	TALK(LOG_VERBOSE, 7, "  ");
}

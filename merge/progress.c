/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The progress of long work on a terminal. */
#include "progress.h"

#include <langinfo.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>

#include "log.h"
#include "table.h"
#include "text.h"

#define PATIENCE 500 /* milliseconds before anything is shown */
#define INTERVAL 100
#define BAR_MAX 30
#define BAR_MIN 10
#define NAME_MIN 8
#define NAME_MAX_COLUMNS 200
#define TAIL_COLUMNS 31 /* "  100%  1023.9M/s  99:59:59 left", at most */

/* How many bytes of the text fit into so many columns; a character that is not ASCII may take two. */
static size_t fit(const char *text, unsigned columns, unsigned *ret_columns) {
	size_t len = 0, n;

	*ret_columns = 0;
	while ((n = text_printable_length(text + len)) > 0) {
		unsigned wide = n > 1 ? 2 : 1;

		if (*ret_columns + wide > columns)
			break;
		*ret_columns += wide;
		len += n;
	}
	return len;
}

/* "1:02:03", or "2:03". */
static void format_duration(uint64_t seconds, char ret[static 16]) {
	if (seconds >= 360000)
		snprintf(ret, 16, "hours");
	else if (seconds >= 3600)
		snprintf(ret, 16, "%u:%02u:%02u", (unsigned)(seconds / 3600),
			 (unsigned)(seconds / 60 % 60), (unsigned)(seconds % 60));
	else
		snprintf(ret, 16, "%u:%02u", (unsigned)(seconds / 60),
			 (unsigned)(seconds % 60));
}

static void format_tail(const struct progress_state *s, char ret[static 48]) {
	uint64_t ms = s->milliseconds ?: 1;
	double speed = (double)s->done / (double)ms; /* bytes in a millisecond */
	char rate[8], left[16];

	text_size((uint64_t)(speed * 1000), rate);
	format_duration(speed > 0 ? (uint64_t)((double)(s->total - s->done) / speed / 1000)
				  : UINT64_MAX,
			left);
	snprintf(ret, 48, "  %3u%%  %5s/s  %s left",
		 (unsigned)((double)s->done / (double)(s->total ?: 1) * 100), rate, left);
}

static char *put_bar(char *at, unsigned columns, const struct progress_state *s) {
	unsigned full = (unsigned)((double)s->done / (double)(s->total ?: 1) * columns);

	for (unsigned i = 0; i < columns; i++)
		at = stpcpy(at, i < full ? (s->utf8 ? "█" : "#") : (s->utf8 ? "░" : "."));
	return at;
}

unsigned progress_format(const struct progress_state *s,
			 char ret[static PROGRESS_LINE_MAX]) {
	_cleanup_free_ char *name = text_escape(s->what);
	unsigned room, bar, used;
	char tail[48], *at = ret;
	size_t len;

	/* The last column stays free, as some terminals go on to the next line behind it. */
	if (!name || s->columns < NAME_MIN + 2 + BAR_MIN + TAIL_COLUMNS + 1)
		return 0;
	/* The name before the bar, which takes what the name leaves. */
	room = s->columns - 1 - TAIL_COLUMNS - 2;
	len = fit(name,
		  room - BAR_MIN < NAME_MAX_COLUMNS ? room - BAR_MIN : NAME_MAX_COLUMNS,
		  &used);
	bar = room - used < BAR_MAX ? room - used : BAR_MAX;
	at = mempcpy(at, name, len);
	at = stpcpy(at, "  ");
	at = put_bar(at, bar, s);
	format_tail(s, tail);
	stpcpy(at, tail);
	return used + 2 + bar + (unsigned)strlen(tail);
}

static uint64_t now(void) {
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

static bool is_terminal(void) {
	const char *term = getenv("TERM");

	return isatty(STDERR_FILENO) && term && *term && strcmp(term, "dumb") != 0;
}

static unsigned count_columns(void) {
	struct winsize size;

	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_col == 0)
		return 80;
	return size.ws_col;
}

void progress_begin(struct progress *p, const char *what) {
	*p = (struct progress){ .what = what,
				.started = now(),
				.is_wanted = is_terminal() && !log_is_quiet() };
	if (p->is_wanted)
		table_use_locale();
}

static void erase(struct progress *p) {
	fprintf(stderr, "\r%*s\r", (int)p->columns, "");
	p->columns = 0;
}

bool progress_is_due(const struct progress *p, uint64_t now) {
	return now >= p->started + PATIENCE && now >= p->drawn + INTERVAL;
}

void progress_show(struct progress *p, uint64_t done, uint64_t total) {
	uint64_t time = now();
	struct progress_state s = { .what = p->what, .done = done, .total = total };
	char line[PROGRESS_LINE_MAX];
	unsigned columns;

	if (!p->is_wanted || !progress_is_due(p, time))
		return;
	p->drawn = time;
	s.milliseconds = time - p->started;
	s.columns = count_columns();
	s.utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
	columns = progress_format(&s, line);
	if (columns < p->columns)
		erase(p);
	if (columns > 0)
		fprintf(stderr, "\r%s", line);
	p->columns = columns;
}

void progress_end(struct progress *p) {
	if (p->columns > 0)
		erase(p);
}

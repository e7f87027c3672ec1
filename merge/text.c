/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Text for people's eyes: escaping what came from outside, sizes, the nearest word. */
#include "text.h"

#include <stdarg.h>
#include <string.h>
#include <time.h>

size_t text_printable_length(const char *s) {
	/* By length: the least character that needs so many bytes, without C0 and C1. */
	static const uint32_t least[] = { 0, 0x20, 0xa0, 0x800, 0x10000 };
	const unsigned char *u = (const unsigned char *)s;
	size_t n = u[0] < 0x80 ? 1 : u[0] < 0xe0 ? 2 : u[0] < 0xf0 ? 3 : 4;
	uint32_t c = n == 1 ? u[0] : u[0] & (0x7fU >> n);

	/* 10xxxxxx is no first byte, and from f5 on there are no characters. */
	if ((u[0] & 0xc0) == 0x80 || u[0] > 0xf4)
		return 0;
	for (size_t i = 1; i < n; i++) {
		if ((u[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (u[i] & 0x3f);
	}
	if (c < least[n] || c == 0x7f || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	return n;
}

char *text_escape(const char *s) {
	char *out = malloc(strlen(s) * 4 + 1), *o = out;

	if (!out)
		return NULL;
	while (*s) {
		size_t n = *s == '\\' ? 0 : text_printable_length(s);

		if (n > 0)
			o = mempcpy(o, s, n);
		else
			o += sprintf(o, "\\x%02x", (unsigned char)*s);
		s += n > 0 ? n : 1;
	}
	*o = '\0';
	return out;
}

void text_size(uint64_t bytes, char ret[static 8]) {
	static const char units[] = "BKMGTPE";
	size_t unit = 0;
	uint64_t tenths;

	if (bytes > UINT64_MAX / 16) { /* ten times as much would not fit */
		bytes /= 1024;
		unit++;
	}
	tenths = bytes * 10;
	for (; tenths >= 10240 && unit < sizeof(units) - 2; unit++)
		tenths = (tenths + 512) / 1024;
	if (unit == 0 || tenths >= 1000)
		snprintf(ret, 8, "%u%c", (unsigned)(tenths / 10 % 10000), units[unit]);
	else
		snprintf(ret, 8, "%u.%u%c", (unsigned)(tenths / 10 % 100),
			 (unsigned)(tenths % 10), units[unit]);
}

void text_date(int64_t seconds, char ret[static 16]) {
	time_t time = (time_t)seconds;
	struct tm tm;

	if (!gmtime_r(&time, &tm) || strftime(ret, 16, "%Y-%m-%d", &tm) == 0)
		stpcpy(ret, "?");
}

#define WORD_MAX 32

/* Levenshtein's distance of two words shorter than WORD_MAX. */
static size_t edit_distance(const char *a, const char *b) {
	size_t row[WORD_MAX + 1], n = strlen(b);

	for (size_t j = 0; j <= n; j++)
		row[j] = j;
	for (size_t i = 0; a[i]; i++) {
		size_t diagonal = row[0];

		row[0] = i + 1;
		for (size_t j = 0; j < n; j++) {
			size_t best = diagonal + (a[i] != b[j]);

			diagonal = row[j + 1];
			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (diagonal + 1 < best)
				best = diagonal + 1;
			row[j + 1] = best;
		}
	}
	return row[n];
}

const char *text_nearest(const char *word, const char *const *words) {
	const char *nearest = NULL;
	size_t least = 3;

	if (strlen(word) >= WORD_MAX)
		return NULL;
	for (; *words; words++) {
		size_t distance;

		if (strlen(*words) >= WORD_MAX)
			continue;
		distance = edit_distance(word, *words);
		if (distance < least && distance * 2 < strlen(*words)) {
			least = distance;
			nearest = *words;
		}
	}
	return nearest;
}

char *text_format(const char *format, ...) {
	char *text;
	va_list ap;
	int n;

	va_start(ap, format);
	n = vasprintf(&text, format, ap);
	va_end(ap);
	return n < 0 ? NULL : text;
}

int text_join(const char *between, const char *const *texts, size_t n, char **ret) {
	_cleanup_free_ char *joined = NULL;

	for (size_t i = 0; i < n; i++) {
		char *longer;

		if (!texts[i])
			continue;
		longer = text_format("%s%s%s", joined ?: "", joined ? between : "",
				     texts[i]);
		if (!longer)
			return -ENOMEM;
		free(joined);
		joined = longer;
	}
	*ret = TAKE_PTR(joined);
	return 0;
}

bool text_has_word(const char *list, const char *word) {
	size_t len = strlen(word);

	for (const char *s = list + strspn(list, " "); *s; s += strspn(s, " ")) {
		size_t n = strcspn(s, " ");

		if (n == len && memcmp(s, word, n) == 0)
			return true;
		s += n;
	}
	return false;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A strict reader of JSON: strings with all their escapes, and a loop over nested values. */
#include "jsontext.h"

#include <string.h>

#include "hex.h"

int jsontext_refuse(struct jsontext *j, const char *why) {
	j->why = why;
	return -EBADMSG;
}

static void skip_blanks(struct jsontext *j) {
	while (j->at < j->end && *j->at && strchr(" \t\n\r", *j->at))
		j->at++;
}

bool jsontext_take(struct jsontext *j, char c) {
	skip_blanks(j);
	if (j->at == j->end || *j->at != (uint8_t)c)
		return false;
	j->at++;
	return true;
}

bool jsontext_is_done(struct jsontext *j) {
	skip_blanks(j);
	return j->at == j->end;
}

/* --- strings --- */

static void put(struct jsontext_sink *sink, const void *bytes, size_t len) {
	if (sink->at)
		sink->at = mempcpy(sink->at, bytes, len);
}

static void put_character(struct jsontext_sink *sink, uint32_t c) {
	const uint8_t two[] = { (uint8_t)(0xc0 | c >> 6), (uint8_t)(0x80 | (c & 0x3f)) };
	const uint8_t three[] = { (uint8_t)(0xe0 | c >> 12),
				  (uint8_t)(0x80 | (c >> 6 & 0x3f)), two[1] };
	const uint8_t four[] = { (uint8_t)(0xf0 | c >> 18),
				 (uint8_t)(0x80 | (c >> 12 & 0x3f)), three[1], two[1] };

	if (c < 0x80)
		put(sink, &(uint8_t){ (uint8_t)c }, 1);
	else if (c < 0x800)
		put(sink, two, sizeof(two));
	else if (c < 0x10000)
		put(sink, three, sizeof(three));
	else
		put(sink, four, sizeof(four));
}

/* The four digits behind "\u". */
static bool take_unit(struct jsontext *j, uint32_t *ret) {
	uint8_t unit[2];

	if (j->end - j->at < 4 || hex_decode((const char *)j->at, 4, false, unit) < 0)
		return false;
	j->at += 4;
	*ret = (uint32_t)unit[0] << 8 | unit[1];
	return true;
}

static bool is_surrogate(uint32_t unit, uint32_t base) {
	return (unit & 0xfc00) == base;
}

/* verity.14: behind "\u". */
static int take_unicode(struct jsontext *j, struct jsontext_sink *sink) {
	uint32_t c, low;

	if (!take_unit(j, &c))
		return jsontext_refuse(j, "an unknown escape in a string");
	if (is_surrogate(c, 0xd800)) {
		if (j->end - j->at < 2 || memcmp(j->at, "\\u", 2) != 0)
			return jsontext_refuse(j, "half a surrogate pair in a string");
		j->at += 2;
		if (!take_unit(j, &low))
			return jsontext_refuse(j, "an unknown escape in a string");
		if (!is_surrogate(low, 0xdc00))
			return jsontext_refuse(j, "half a surrogate pair in a string");
		c = 0x10000 + ((c & 0x3ff) << 10 | (low & 0x3ff));
	} else if (is_surrogate(c, 0xdc00)) {
		return jsontext_refuse(j, "half a surrogate pair in a string");
	}
	if (c == 0)
		return jsontext_refuse(j, "a NUL in a string");
	put_character(sink, c);
	return 0;
}

/* Behind the backslash. */
static int take_escape(struct jsontext *j, struct jsontext_sink *sink) {
	static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
	const char *found;

	if (j->at < j->end && *j->at == 'u') {
		j->at++;
		return take_unicode(j, sink);
	}
	found = j->at < j->end && *j->at ? strchr(names, *j->at) : NULL;
	if (!found)
		return jsontext_refuse(j, "an unknown escape in a string");
	put(sink, &values[found - names], 1);
	j->at++;
	return 0;
}

/* The length of the UTF-8 character (RFC 3629) at `p`, or 0. */
static size_t measure_character(const uint8_t *p, size_t left) {
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t n = p[0] < 0x80 ? 1 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
	uint32_t c = n == 1 ? p[0] : p[0] & (0x7fU >> n);

	/* 10xxxxxx is no first byte, and from f5 on there are no characters. */
	if (n > left || (p[0] & 0xc0) == 0x80 || p[0] > 0xf4)
		return 0;
	for (size_t i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (p[i] & 0x3f);
	}
	return c < least[n] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff) ? 0 : n;
}

static int take_plain(struct jsontext *j, struct jsontext_sink *sink) {
	size_t n;

	if (*j->at < 0x20)
		return jsontext_refuse(j, "a control character in a string");
	n = measure_character(j->at, (size_t)(j->end - j->at));
	if (n == 0)
		return jsontext_refuse(j, "a string is not UTF-8");
	put(sink, j->at, n);
	j->at += n;
	return 0;
}

int jsontext_string(struct jsontext *j, struct jsontext_sink *sink) {
	if (!jsontext_take(j, '"'))
		return jsontext_refuse(j, "not the string that is expected");
	while (j->at < j->end) {
		int r;

		if (*j->at == '"') {
			j->at++;
			put(sink, "", 1);
			return 0;
		}
		if (*j->at == '\\') {
			j->at++;
			r = take_escape(j, sink);
		} else {
			r = take_plain(j, sink);
		}
		if (r < 0)
			return r;
	}
	return jsontext_refuse(j, "a string is not closed");
}

/* --- other values --- */

static size_t skip_digits(struct jsontext *j) {
	const uint8_t *start = j->at;

	while (j->at < j->end && *j->at >= '0' && *j->at <= '9')
		j->at++;
	return (size_t)(j->at - start);
}

static bool take_byte(struct jsontext *j, const char *set) {
	if (j->at == j->end || !*j->at || !strchr(set, *j->at))
		return false;
	j->at++;
	return true;
}

/* RFC 8259 section 6. */
static int skip_number(struct jsontext *j) {
	bool fine;

	take_byte(j, "-");
	fine = take_byte(j, "0") || skip_digits(j) > 0;
	if (fine && take_byte(j, "."))
		fine = skip_digits(j) > 0;
	if (fine && take_byte(j, "eE")) {
		take_byte(j, "+-");
		fine = skip_digits(j) > 0;
	}
	return fine ? 0 : jsontext_refuse(j, "not a JSON value");
}

static bool skip_word(struct jsontext *j) {
	static const char *const words[] = { "true", "false", "null" };

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		size_t n = strlen(words[i]);

		if ((size_t)(j->end - j->at) >= n && memcmp(j->at, words[i], n) == 0) {
			j->at += n;
			return true;
		}
	}
	return false;
}

static int skip_scalar(struct jsontext *j) {
	if (j->at < j->end && *j->at == '"')
		return jsontext_string(j, &(struct jsontext_sink){});
	return skip_word(j) ? 0 : skip_number(j);
}

/* A key and its colon. */
static int skip_key(struct jsontext *j) {
	int r = jsontext_string(j, &(struct jsontext_sink){});

	if (r == 0 && !jsontext_take(j, ':'))
		r = jsontext_refuse(j, "a key has no value");
	return r;
}

/* The objects and arrays that are open, as the bytes that close them. */
struct nest {
	char close[JSONTEXT_DEPTH_MAX];
	size_t n;
};

/* Opens the object or array that starts here: 1, and it is empty and closed again, or 0; -EAGAIN if none does. */
static int open_nest(struct jsontext *j, struct nest *nest) {
	char close;

	if (jsontext_take(j, '{'))
		close = '}';
	else if (jsontext_take(j, '['))
		close = ']';
	else
		return -EAGAIN;
	if (j->depth + nest->n >= JSONTEXT_DEPTH_MAX)
		return jsontext_refuse(j, "nested too deep");
	if (jsontext_take(j, close))
		return 1;
	nest->close[nest->n++] = close;
	return close == '}' ? skip_key(j) : 0;
}

/* Behind a value: closes what ends here. 0, and another value follows if one is still open. */
static int close_nests(struct jsontext *j, struct nest *nest) {
	while (nest->n > 0) {
		char close = nest->close[nest->n - 1];

		if (jsontext_take(j, ','))
			return close == '}' ? skip_key(j) : 0;
		if (!jsontext_take(j, close))
			return jsontext_refuse(
				j, "a comma or the end of an object or array is missing");
		nest->n--;
	}
	return 0;
}

int jsontext_skip(struct jsontext *j) {
	struct nest nest = { .n = 0 };

	do {
		int r = open_nest(j, &nest);

		if (r == 0)
			continue;
		if (r == -EAGAIN)
			r = skip_scalar(j);
		if (r >= 0)
			r = close_nests(j, &nest);
		if (r < 0)
			return r;
	} while (nest.n > 0);
	return 0;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The parser of os-release files: line by line, each value unescaped where it stands. */
#include "release.h"

#include <string.h>

#include "name.h"

#define ASSIGNMENTS_MAX 1024
#define BLANKS " \t"
#define KEY_CHARACTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_"

struct assignment {
	const char *key, *value; /* both point into the text */
};

/* One block: the assignments, then the text that they point into. */
struct release {
	size_t n;
	struct assignment items[];
};

static char *skip_blanks(char *s) {
	return s + strspn(s, BLANKS);
}

/* The length of the variable's name at the start of `s`, 0 where there is none. */
static size_t key_length(const char *s) {
	if (*s >= '0' && *s <= '9')
		return 0;
	return strspn(s, KEY_CHARACTERS);
}

/* Unquotes `s`, which starts with its quote, in place; the result is never longer. */
static const char *unquote(char *s) {
	const char quote = *s, *in = s + 1;

	for (; *in != quote; in++) {
		/* As in a shell: between double quotes only these can be escaped. */
		if (quote == '"' && in[0] == '\\' && in[1] && strchr("\"\\$`", in[1]))
			in++;
		if (*in == '\0')
			return "a quote is not closed";
		*s++ = *in;
	}
	in++;
	if (in[strspn(in, BLANKS)] != '\0')
		return "text after the closing quote";
	*s = '\0';
	return NULL;
}

/* The same without quotes. Blanks at the end fall away unless they are escaped. */
static const char *unescape(char *s) {
	char *end = s;

	for (const char *in = s; *in; in++) {
		bool keep = !strchr(BLANKS, *in);

		if (*in == '"' || *in == '\'')
			return "a quote inside an unquoted value";
		if (*in == '\\' && *++in == '\0')
			return "a backslash at the end of the line";
		*s++ = *in;
		if (keep)
			end = s;
	}
	*end = '\0';
	return NULL;
}

/*
 * Parses one terminated line. Returns NULL, with no key where the line assigns nothing,
 * or why it is not allowed.
 */
static const char *parse_line(char *line, struct assignment *ret) {
	char *key = skip_blanks(line), *value;
	size_t len = key_length(key);
	const char *why;

	if (*key == '\0' || *key == '#') {
		*ret = (struct assignment){ 0 };
		return NULL;
	}
	if (len == 0 || key[len] != '=')
		return "not an assignment (KEY=value)";

	key[len] = '\0';
	value = skip_blanks(key + len + 1);
	why = *value == '"' || *value == '\'' ? unquote(value) : unescape(value);
	if (why)
		return why;
	if (!name_is_printable(value))
		return "a control character or invalid UTF-8 in a value";

	*ret = (struct assignment){ key, value };
	return NULL;
}

/* Terminates the line of `len` bytes where its line feed is, or the CR before it. */
static const char *terminate_line(char *line, size_t len) {
	if (memchr(line, '\0', len))
		return "a NUL byte";
	if (len > 0 && line[len - 1] == '\r')
		len--;
	line[len] = '\0';
	return NULL;
}

/* Parses the `len` bytes of `text`, which has room for one more. */
static const char *parse_text(struct release *r, char *text, size_t len,
			      unsigned *ret_line) {
	char *end = text + len, *next;
	unsigned line = 0;

	for (; text < end; text = next + 1) {
		struct assignment a;
		const char *why;

		next = memchr(text, '\n', end - text) ?: end;
		*ret_line = ++line;
		why = terminate_line(text, next - text) ?: parse_line(text, &a);
		if (why)
			return why;
		if (!a.key)
			continue;
		if (r->n == ASSIGNMENTS_MAX)
			return "more than 1024 assignments";
		r->items[r->n++] = a;
	}
	return NULL;
}

/* An upper limit of the assignments in the text, so that one allocation is enough. */
static size_t count_lines(const char *text, size_t len) {
	size_t n = 1;

	for (size_t i = 0; i < len; i++)
		n += text[i] == '\n';
	return n < ASSIGNMENTS_MAX ? n : ASSIGNMENTS_MAX;
}

int release_parse(const char *text, size_t len, struct release **ret,
		  const char **ret_why, unsigned *ret_line) {
	_cleanup_(release_freep) struct release *r = NULL;
	unsigned line = 0;
	const char *why;
	size_t size;
	char *copy;

	if (len > RELEASE_SIZE_MAX) {
		*ret_why = "larger than 64 KiB";
		if (ret_line)
			*ret_line = 0;
		return -EFBIG;
	}

	size = sizeof(*r) + count_lines(text, len) * sizeof(*r->items);
	r = calloc(1, size + len + 1);
	if (!r)
		return -ENOMEM;
	copy = (char *)r + size;
	if (len > 0)
		memcpy(copy, text, len);

	why = parse_text(r, copy, len, &line);
	if (why) {
		*ret_why = why;
		if (ret_line)
			*ret_line = line;
		return -EINVAL;
	}

	*ret = TAKE_PTR(r);
	return 0;
}

const char *release_get(const struct release *r, const char *key) {
	for (size_t i = r->n; i > 0; i--)
		if (strcmp(r->items[i - 1].key, key) == 0)
			return r->items[i - 1].value;
	return NULL;
}

bool release_is_true(const char *value) {
	static const char *const words[] = { "1", "yes", "y", "true", "t", "on" };

	for (size_t i = 0; value && i < ARRAY_SIZE(words); i++)
		if (strcasecmp(words[i], value) == 0)
			return true;
	return false;
}

bool release_is_empty(const struct release *r) {
	return r->n == 0;
}

void release_free(struct release *r) {
	free(r);
}

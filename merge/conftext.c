/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The outline of a configuration file, before a library parses it. */
#include "conftext.h"

#include <string.h>

#include "text.h"

#define BLANKS " \t"
#define KEY_CHARACTERS                                         \
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz" \
	"0123456789-_."
#define NAME_ENDS BLANKS "[]\"=" /* and what is no name */

struct parser {
	struct conftext found;
	char *section;
	unsigned line;
	const char *why;
};

static void parser_done(struct parser *p) {
	conftext_done(&p->found);
	free(p->section);
}

static int refuse(struct parser *p, const char *why) {
	p->why = why;
	return -EBADMSG;
}

static bool is_printable(const char *line) {
	while (*line) {
		size_t n = *line == '\t' ? 1 : text_printable_length(line);

		if (n == 0)
			return false;
		line += n;
	}
	return true;
}

/* Cuts the blanks at the end, and returns what is behind those in front. */
static char *trim(char *s) {
	size_t len = strlen(s);

	while (len > 0 && strchr(BLANKS, s[len - 1]))
		len--;
	s[len] = '\0';
	return s + strspn(s, BLANKS);
}

/* WORD, or WORD NAME with one blank between them: whom the section speaks of. */
static bool is_heading(const char *text) {
	size_t word = strspn(text, KEY_CHARACTERS);
	const char *name = text + word + 1;

	if (word == 0 || text[word] != ' ')
		return word > 0 && text[word] == '\0';
	return *name && name[strcspn(name, NAME_ENDS)] == '\0';
}

static int read_heading(struct parser *p, char *line) {
	char *end = line + strlen(line) - 1, *name = line + 1;

	if (end == line || *end != ']')
		return refuse(p,
			      "a section is [WORD] or [WORD NAME] with nothing behind it");
	*end = '\0';
	if (!is_heading(name))
		return refuse(p,
			      "a section is [WORD], of letters, digits, '-', '_' and '.', "
			      "or [WORD NAME] with one blank");
	free(p->section);
	p->section = strdup(name);
	return p->section ? 0 : -ENOMEM;
}

static bool is_same(const char *a, const char *b) {
	return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool has_entry(const struct parser *p, const char *key) {
	for (size_t i = 0; i < p->found.n; i++)
		if (is_same(p->found.items[i].section, p->section) &&
		    strcmp(p->found.items[i].key, key) == 0)
			return true;
	return false;
}

static int add_entry(struct parser *p, const char *key) {
	struct conftext_entry *e, *grown;

	if (p->found.n == CONFTEXT_ENTRIES_MAX)
		return refuse(p, "there are more than 256 keys");
	grown = reallocarray(p->found.items, p->found.n + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	p->found.items = grown;
	e = &grown[p->found.n++];
	*e = (struct conftext_entry){ .section = p->section ? strdup(p->section) : NULL,
				      .key = strdup(key),
				      .line = p->line };
	return e->key && (e->section || !p->section) ? 0 : -ENOMEM;
}

static int read_assignment(struct parser *p, char *line) {
	char *sign = strchr(line, '='), *key;

	if (!sign)
		return refuse(p, "it is neither [SECTION] nor KEY=VALUE nor a comment");
	*sign = '\0';
	key = trim(line);
	if (*key == '\0' || key[strspn(key, KEY_CHARACTERS)] != '\0')
		return refuse(p,
			      "a key is made of letters, digits, '-', '_' and '.' only");
	if (has_entry(p, key))
		return refuse(p, "the key is in this section already");
	return add_entry(p, key);
}

/* A comment goes from '#' to the end, also behind a value: that is what the library makes of it. */
static int read_line(struct parser *p, const char *start, size_t len) {
	_cleanup_free_ char *copy = strndup(start, len);
	char *line;

	if (!copy)
		return -ENOMEM;
	if (strlen(copy) != len)
		return refuse(p, "it has a NUL byte");
	if (len > 0 && copy[len - 1] == '\r')
		copy[len - 1] = '\0';
	if (len > CONFTEXT_LINE_MAX)
		return refuse(p, "it is longer than 1000 bytes");
	if (!is_printable(copy))
		return refuse(p, "it has control characters, or is no UTF-8");
	copy[strcspn(copy, "#")] = '\0';
	line = trim(copy);
	if (*line == '\0')
		return 0;
	return *line == '[' ? read_heading(p, line) : read_assignment(p, line);
}

int conftext_parse(const char *text, size_t len, struct conftext *ret, unsigned *ret_line,
		   const char **ret_why) {
	_cleanup_(parser_done) struct parser p = { 0 };
	int r = 0;

	for (size_t at = 0; r == 0 && at < len;) {
		const char *end = memchr(text + at, '\n', len - at);
		size_t n = end ? (size_t)(end - text) - at : len - at;

		p.line++;
		r = read_line(&p, text + at, n);
		at += n + 1;
	}
	if (r == -EBADMSG) {
		*ret_line = p.line;
		*ret_why = p.why;
	}
	if (r < 0)
		return r;
	*ret = p.found;
	p.found = (struct conftext){ 0 };
	return 0;
}

void conftext_done(struct conftext *c) {
	for (size_t i = 0; i < c->n; i++) {
		free(c->items[i].section);
		free(c->items[i].key);
	}
	free(c->items);
	*c = (struct conftext){ 0 };
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One call of Varlink. */
#include "varlink.h"

#include <string.h>

#include "../verity/jsontext.h"

/* Whether the value is this word; that it is one value, jsontext_skip() finds out. */
static bool is_next(struct jsontext j, const char *word) {
	while (*word && jsontext_take(&j, *word))
		word++;
	return *word == '\0';
}

/* The value of `key`, behind the colon. A name has as many bytes as the text at most. */
static int read_value(struct jsontext *j, const char *key, struct varlink_call *c,
		      size_t size) {
	struct jsontext_sink sink;

	if (strcmp(key, "method") == 0) {
		if (c->method)
			return jsontext_refuse(j, "\"method\" is there twice");
		c->method = malloc(size);
		sink.at = c->method;
		return c->method ? jsontext_string(j, &sink) : -ENOMEM;
	}
	if (strcmp(key, "oneway") == 0)
		c->is_oneway = is_next(*j, "true");
	return jsontext_skip(j);
}

static int read_member(struct jsontext *j, char *key, struct varlink_call *c,
		       size_t size) {
	struct jsontext_sink sink = { key };
	int r = jsontext_string(j, &sink);

	if (r < 0)
		return r;
	if (!jsontext_take(j, ':'))
		return jsontext_refuse(j, "a colon is missing");
	return read_value(j, key, c, size);
}

static int read_object(struct jsontext *j, char *key, struct varlink_call *c,
		       size_t size) {
	int r = jsontext_take(j, '{') ? 0 : jsontext_refuse(j, "it is no object");

	if (r < 0 || jsontext_take(j, '}'))
		return r;
	do
		r = read_member(j, key, c, size);
	while (r == 0 && jsontext_take(j, ','));
	if (r == 0 && !jsontext_take(j, '}'))
		r = jsontext_refuse(j, "a brace is missing");
	return r;
}

int varlink_parse_call(const char *text, size_t len, struct varlink_call *ret) {
	const uint8_t *bytes = (const uint8_t *)text;
	struct jsontext j = { .at = bytes, .end = bytes + len };
	_cleanup_(varlink_call_done) struct varlink_call c = { 0 };
	_cleanup_free_ char *key = malloc(len + 1);
	int r = key ? read_object(&j, key, &c, len + 1) : -ENOMEM;

	if (r == 0 && (!c.method || !jsontext_is_done(&j)))
		r = -EBADMSG;
	if (r == 0) {
		*ret = c;
		c.method = NULL;
	}
	return r;
}

void varlink_call_done(struct varlink_call *c) {
	free(c->method);
	c->method = NULL;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A strict reader of DER (X.690). */
#include "der.h"

#include <string.h>

#define CONSTRUCTED 0x20
#define CLASS 0xc0
#define NUMBER 0x1f

/* An element that stands at the start of what is left, header and content. */
struct element {
	uint8_t tag;
	size_t header, len; /* `len` without the header */
};

static const char cut_off[] = "an element is cut off";

/* X.690 8.1.3.5, 10.1: the bytes of a length over 127. NULL, or what is wrong. */
static const char *read_long_length(const struct der *from, struct element *e) {
	size_t n = from->data[1] & 0x7f;

	if (n == 0)
		return "an indefinite length";
	if (n > from->len - 2)
		return cut_off;
	if (from->data[2] == 0)
		return "a length that is not in its shortest form";
	if (n > sizeof(uint32_t)) /* 4 GiB, of which we have no such part */
		return cut_off;
	for (size_t i = 0; i < n; i++)
		e->len = e->len << 8 | from->data[2 + i];
	e->header += n;
	return e->len < 0x80 ? "a length that is not in its shortest form" : NULL;
}

static const char *read_element(const struct der *from, struct element *ret) {
	const char *why = NULL;

	if (from->len < 2)
		return cut_off;
	*ret = (struct element){ .tag = from->data[0], .header = 2, .len = from->data[1] };
	if ((ret->tag & NUMBER) == NUMBER)
		return "a tag of more than one byte";
	if (ret->len >= 0x80) {
		ret->len = 0;
		why = read_long_length(from, ret);
	}
	if (!why && ret->len > from->len - ret->header)
		why = cut_off;
	return why;
}

/* 11.1 */
static bool is_boolean(const uint8_t *p, size_t len) {
	return len == 1 && (p[0] == 0 || p[0] == 0xff);
}

/* 8.3.2 */
static bool is_integer(const uint8_t *p, size_t len) {
	if (len < 2)
		return len == 1;
	return !(p[0] == 0 && p[1] < 0x80) && !(p[0] == 0xff && p[1] >= 0x80);
}

/* 8.6.2, 11.2: the unused bits at the end are zero. */
static bool is_bit_string(const uint8_t *p, size_t len) {
	if (len == 0 || p[0] > 7 || (len == 1 && p[0] > 0))
		return false;
	return (p[len - 1] & ((1U << p[0]) - 1)) == 0 || len == 1;
}

static bool is_null(const uint8_t *p, size_t len) {
	return len == 0;
}

/* 8.19.2: numbers of seven bits a byte, none starting with zeros, the last one complete. */
static bool is_oid(const uint8_t *p, size_t len) {
	for (size_t i = 0; i < len; i++)
		if (p[i] == 0x80 && (i == 0 || p[i - 1] < 0x80))
			return false;
	return len > 0 && p[len - 1] < 0x80;
}

/* By the number of a universal type. */
static bool (*const value_rules[])(const uint8_t *p, size_t len) = {
	[DER_BOOLEAN] = is_boolean,
	[DER_INTEGER] = is_integer,
	[DER_BIT_STRING] = is_bit_string,
	[DER_NULL] = is_null,
	[DER_OID] = is_oid,
};

static const char *check_value(const struct element *e, const uint8_t *content) {
	unsigned number = e->tag & NUMBER;
	bool is_nest = number == (DER_SEQUENCE & NUMBER) || number == (DER_SET & NUMBER);

	if (e->tag & CLASS)
		return NULL;
	/* 10.2: no string in pieces. Number 0 would end an indefinite length. */
	if (is_nest != (bool)(e->tag & CONSTRUCTED) || number == 0)
		return "an element that has not the form of its type";
	if (number < ARRAY_SIZE(value_rules) && value_rules[number] &&
	    !value_rules[number](content, e->len))
		return "a value that is not in its only form";
	return NULL;
}

static const char *check_element(const struct der *from, size_t depth,
				 struct element *ret) {
	const char *why = read_element(from, ret);

	if (!why)
		why = check_value(ret, from->data + ret->header);
	if (!why && ret->tag & CONSTRUCTED && depth == DER_DEPTH_MAX)
		why = "elements are nested too deep";
	return why;
}

static struct der skip(struct der *from, const struct element *e) {
	struct der content = { from->data + e->header, e->len };

	from->data += e->header + e->len;
	from->len -= e->header + e->len;
	return content;
}

int der_check(const void *data, size_t len, const char **ret_why) {
	/* What is left of the whole, and of each element that we are in. */
	struct der left[1 + DER_DEPTH_MAX] = { { .data = data, .len = len } };
	size_t depth = 0;

	do {
		struct element e = { 0 };
		struct der content;
		const char *why = check_element(&left[depth], depth, &e);

		if (!why) {
			content = skip(&left[depth], &e);
			why = left[0].len > 0 ? "bytes behind the end" : NULL;
		}
		if (why) {
			*ret_why = why;
			return -EBADMSG;
		}
		if (e.tag & CONSTRUCTED)
			left[++depth] = content;
		while (depth > 0 && left[depth].len == 0)
			depth--;
	} while (depth > 0);
	return 0;
}

bool der_is_next(const struct der *from, uint8_t tag) {
	return from->len > 0 && from->data[0] == tag;
}

bool der_take(struct der *from, uint8_t tag, struct der *ret) {
	struct element e;

	if (!der_is_next(from, tag) || read_element(from, &e))
		return false;
	*ret = skip(from, &e);
	return true;
}

bool der_take_whole(struct der *from, uint8_t tag, struct der *ret) {
	struct der whole = *from, content;

	if (!der_take(from, tag, &content))
		return false;
	*ret = (struct der){ whole.data, whole.len - from->len };
	return true;
}

bool der_equal(const struct der *a, const struct der *b) {
	return a->len == b->len && memcmp(a->data, b->data, a->len) == 0;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Writing DER in memory: hex, and elements around other elements. Says nothing about whether it is sound. */
#pragma once

#include <check.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "merge/base.h"

struct blob {
	uint8_t data[4096];
	size_t len;
};

static inline void blob_add(struct blob *b, const void *data, size_t len) {
	ck_assert_uint_le(len, sizeof(b->data) - b->len);
	memcpy(b->data + b->len, data, len);
	b->len += len;
}

/* Spaces do not matter. */
static inline struct blob blob_hex(const char *hex) {
	struct blob b = { .len = 0 };

	for (; *hex; hex += *hex == ' ' ? 1 : 2) {
		unsigned byte;
		uint8_t value;

		if (*hex == ' ')
			continue;
		ck_assert_msg(sscanf(hex, "%2x", &byte) == 1, "no hex: '%s'", hex);
		value = (uint8_t)byte;
		blob_add(&b, &value, 1);
	}
	return b;
}

/* An element of `n` parts, each a const struct blob *, its length in the shortest form. */
static inline struct blob blob_wrap(uint8_t tag, size_t n, ...) {
	struct blob content = { .len = 0 }, b = { .data = { tag }, .len = 1 };
	va_list ap;

	va_start(ap, n);
	while (n-- > 0) {
		const struct blob *part = va_arg(ap, const struct blob *);

		blob_add(&content, part->data, part->len);
	}
	va_end(ap);
	if (content.len >= 0x100)
		b.data[b.len++] = 0x82;
	else if (content.len >= 0x80)
		b.data[b.len++] = 0x81;
	if (content.len >= 0x100)
		b.data[b.len++] = (uint8_t)(content.len >> 8);
	b.data[b.len++] = (uint8_t)content.len;
	blob_add(&b, content.data, content.len);
	return b;
}

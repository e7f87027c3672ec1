/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A strict reader of DER (X.690): one encoding for each value, or none. Pure. */
#pragma once

#include "../merge/base.h"

#define DER_DEPTH_MAX 16

/* The tags that are asked for here. Those of context class are constructed: [N]. */
enum der_tag {
	DER_BOOLEAN = 0x01,
	DER_INTEGER = 0x02,
	DER_BIT_STRING = 0x03,
	DER_OCTET_STRING = 0x04,
	DER_NULL = 0x05,
	DER_OID = 0x06,
	DER_SEQUENCE = 0x30,
	DER_SET = 0x31,
	DER_CONTEXT_0 = 0xa0,
	DER_CONTEXT_1 = 0xa1,
};

/* Bytes that are still to be read. Borrowed. */
struct der {
	const uint8_t *data;
	size_t len;
};

/*
 * Whether the bytes are one element, and nothing behind it, in exact DER all the way down: tags of one
 * byte, definite lengths in their shortest form, children that fill their parent, at most DER_DEPTH_MAX
 * levels; what universal types allow (a SEQUENCE is constructed, an INTEGER has no superfluous byte,
 * a NULL no content, ...). Does not recurse. 0, or -EBADMSG and *ret_why, a static sentence
 * (specs: signature.2).
 */
int der_check(const void *data, size_t len, const char **ret_why);

/*
 * Takes the next element off `from` if it has that tag: its content becomes *ret. Otherwise false, and
 * nothing changes. Safe without der_check(), but then it does not look into the content.
 */
bool der_take(struct der *from, uint8_t tag, struct der *ret);

/* As der_take(), but *ret is the element with its tag and length. */
bool der_take_whole(struct der *from, uint8_t tag, struct der *ret);

/* Whether the next element has that tag; false at the end. */
bool der_is_next(const struct der *from, uint8_t tag);

bool der_equal(const struct der *a, const struct der *b);

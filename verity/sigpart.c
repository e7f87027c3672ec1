/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The keys that we know in the object of a signature partition; the rest is checked and skipped. */
#include "sigpart.h"

#include <string.h>

#include "hex.h"
#include "jsontext.h"

#define KEYS_MAX 64

/* The reader, and all decoded strings one behind the other. */
struct reader {
	struct jsontext json;
	struct sigpart out;
	char *strings; /* owned; as long as the text */
	struct jsontext_sink sink;
	const char *keys[KEYS_MAX];
	size_t n_keys;
	unsigned seen; /* bits: the members that were there */
};

static void reader_done(struct reader *rd) {
	sigpart_done(&rd->out);
	free(rd->strings);
}

void sigpart_done(struct sigpart *s) {
	free(s->signature);
	*s = (struct sigpart){};
}

static int refuse(struct reader *rd, const char *why) {
	return jsontext_refuse(&rd->json, why);
}

/* verity.15 */
static int take_hash(struct reader *rd, const char *text) {
	size_t len = strlen(text);

	if (len != 64 && len != 96 && len != 128)
		return refuse(rd, "rootHash has the length of no allowed hash");
	if (hex_decode(text, len, true, rd->out.hash) < 0)
		return refuse(rd, "rootHash is not lower-case hexadecimal");
	rd->out.hash_size = len / 2;
	return 0;
}

static int decode_base64_digit(char c) {
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *found = c ? strchr(digits, c) : NULL;

	return found ? (int)(found - digits) : -EINVAL;
}

/*
 * One group of four characters, `n` of which are digits, into n - 1 bytes. What the last digit has beyond
 * the last byte must be zero (RFC 4648 3.5), so that no two texts mean the same.
 */
static int decode_base64_group(const char *text, size_t n, uint8_t *ret) {
	uint32_t bits = 0;

	for (size_t i = 0; i < 4; i++) {
		int digit = i < n ? decode_base64_digit(text[i]) : 0;

		if (digit < 0)
			return -EINVAL;
		bits = bits << 6 | (uint32_t)digit;
	}
	for (size_t i = 0; i < 3; i++, bits <<= 8) {
		if (i < n - 1)
			ret[i] = (uint8_t)(bits >> 16);
		else if (bits >> 16 & 0xff)
			return -EINVAL;
	}
	return 0;
}

/* `ret` has room for 3 bytes for each 4 characters. Returns the number of bytes, or -EINVAL. */
static ssize_t decode_base64(const char *text, size_t len, uint8_t *ret) {
	size_t padding = 0;

	if (len == 0 || len % 4 != 0)
		return -EINVAL;
	while (padding < 2 && text[len - 1 - padding] == '=')
		padding++;
	for (size_t i = 0; i < len; i += 4) {
		size_t n = i + 4 < len ? 4 : 4 - padding;

		if (decode_base64_group(text + i, n, ret + i / 4 * 3) < 0)
			return -EINVAL;
	}
	return (ssize_t)(len / 4 * 3 - padding);
}

/* verity.16 */
static int take_signature(struct reader *rd, const char *text) {
	size_t len = strlen(text);
	ssize_t n;

	rd->out.signature = malloc(len / 4 * 3 + 1);
	if (!rd->out.signature)
		return -ENOMEM;
	n = decode_base64(text, len, rd->out.signature);
	if (n < 0)
		return refuse(rd, "signature is not base64");
	rd->out.signature_size = (size_t)n;
	return 0;
}

static int take_fingerprint(struct reader *rd, const char *text) {
	if (strlen(text) != 2 * sizeof(rd->out.fingerprint) ||
	    hex_decode(text, strlen(text), true, rd->out.fingerprint) < 0)
		return refuse(
			rd,
			"certificateFingerprint is not 64 lower-case hexadecimal digits");
	rd->out.has_fingerprint = true;
	return 0;
}

static const struct {
	const char *key;
	int (*take)(struct reader *rd, const char *text);
	const char *missing; /* NULL: it may be */
} members[] = {
	{ "rootHash", take_hash, "rootHash is missing" },
	{ "signature", take_signature, "signature is missing" },
	{ "certificateFingerprint", take_fingerprint, NULL },
};

static int take_value(struct reader *rd, const char *key) {
	for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
		const char *text = rd->sink.at;
		int r;

		if (strcmp(key, members[i].key) != 0)
			continue;
		rd->seen |= 1U << i;
		r = jsontext_string(&rd->json, &rd->sink);
		return r < 0 ? r : members[i].take(rd, text);
	}
	return jsontext_skip(&rd->json);
}

/* verity.13: by what the keys are once they are decoded. */
static int take_key(struct reader *rd, const char **ret) {
	const char *key = rd->sink.at;
	int r;

	r = jsontext_string(&rd->json, &rd->sink);
	if (r < 0)
		return r;
	for (size_t i = 0; i < rd->n_keys; i++)
		if (strcmp(key, rd->keys[i]) == 0)
			return refuse(rd, "a key is there twice");
	if (rd->n_keys == KEYS_MAX)
		return refuse(rd, "more than 64 keys");
	rd->keys[rd->n_keys++] = key;
	if (!jsontext_take(&rd->json, ':'))
		return refuse(rd, "a key has no value");
	*ret = key;
	return 0;
}

static int take_members(struct reader *rd) {
	if (jsontext_take(&rd->json, '}'))
		return 0;
	do {
		const char *key = "";
		int r;

		r = take_key(rd, &key);
		if (r == 0)
			r = take_value(rd, key);
		if (r < 0)
			return r;
	} while (jsontext_take(&rd->json, ','));
	if (!jsontext_take(&rd->json, '}'))
		return refuse(rd, "a comma or the end of an object or array is missing");
	return 0;
}

static int take_object(struct reader *rd) {
	int r;

	if (!jsontext_take(&rd->json, '{'))
		return refuse(rd, "there is no JSON object");
	rd->json.depth = 1;
	r = take_members(rd);
	if (r < 0)
		return r;
	if (!jsontext_is_done(&rd->json))
		return refuse(rd, "text behind the JSON object");
	for (size_t i = 0; i < ARRAY_SIZE(members); i++)
		if (members[i].missing && !(rd->seen & 1U << i))
			return refuse(rd, members[i].missing);
	return 0;
}

/* verity.12: the length of the text; behind it there is nothing but NUL. */
static int measure_text(struct reader *rd, const uint8_t *bytes, size_t len, size_t *ret) {
	size_t n = strnlen((const char *)bytes, len);

	if (len > SIGPART_READ_MAX)
		return refuse(rd, "the signature partition is larger than 1 MiB");
	if (n > SIGPART_TEXT_MAX)
		return refuse(rd, "the JSON text is larger than 64 KiB");
	for (size_t i = n; i < len; i++)
		if (bytes[i] != 0)
			return refuse(rd, "bytes behind the end of the JSON text");
	*ret = n;
	return 0;
}

static int parse(struct reader *rd, const uint8_t *bytes, size_t len) {
	size_t n = 0;
	int r;

	r = measure_text(rd, bytes, len, &n);
	if (r < 0)
		return r;
	rd->strings = malloc(n + 1);
	if (!rd->strings)
		return -ENOMEM;
	rd->sink.at = rd->strings;
	rd->json.at = bytes;
	rd->json.end = bytes + n;
	return take_object(rd);
}

int sigpart_parse(const uint8_t *bytes, size_t len, struct sigpart *ret,
		  const char **ret_why) {
	_cleanup_(reader_done) struct reader rd = {};
	int r;

	r = parse(&rd, bytes, len);
	if (r == -EBADMSG)
		*ret_why = rd.json.why;
	if (r < 0)
		return r;
	*ret = rd.out;
	rd.out = (struct sigpart){};
	return 0;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Any signature partition: what is accepted is whole, and json-c, which is more lenient, reads the same. */

#include <assert.h>
#include <json-c/json.h>
#include <string.h>

#include "verity/hex.h"
#include "verity/sigpart.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static const char *member(struct json_object *o, const char *key) {
	struct json_object *value = NULL;

	return json_object_object_get_ex(o, key, &value) ? json_object_get_string(value)
							 : NULL;
}

static void check_against_library(const uint8_t *data, size_t len,
				  const struct sigpart *s) {
	_cleanup_free_ char *text = strndup((const char *)data, len);
	struct json_object *o = json_tokener_parse(text);
	char hash[129], fingerprint[65];

	assert(o && json_object_is_type(o, json_type_object));
	hex_encode(s->hash, s->hash_size, hash);
	assert(strcmp(member(o, "rootHash"), hash) == 0);
	assert(strlen(member(o, "signature")) == (s->signature_size + 2) / 3 * 4);
	assert(!s->has_fingerprint == !member(o, "certificateFingerprint"));
	hex_encode(s->fingerprint, sizeof(s->fingerprint), fingerprint);
	assert(!s->has_fingerprint ||
	       strcmp(member(o, "certificateFingerprint"), fingerprint) == 0);
	json_object_put(o);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
	const char *why = NULL;
	struct sigpart s;
	int r;

	r = sigpart_parse(data, len, &s, &why);
	assert(r == 0 || (r == -EBADMSG && why));
	if (r < 0)
		return 0;
	assert(s.hash_size == 32 || s.hash_size == 48 || s.hash_size == 64);
	assert(s.signature_size > 0 && s.signature_size < SIGPART_TEXT_MAX);
	check_against_library(data, len, &s);
	sigpart_done(&s);
	return 0;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whether any two release files end in a match rule's verdict with a short sentence. */
#include "merge/match.h"

#include <assert.h>
#include <string.h>

#include "merge/name.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct release *parse(const uint8_t *data, size_t size) {
	struct release *r = NULL;
	const char *why;

	return release_parse((const char *)data, size, &r, &why, NULL) < 0 ? NULL : r;
}

static void check_verdict(const struct verdict *v) {
	assert((v->code == VERDICT_FITS) == (v->text == NULL));
	if (v->code == VERDICT_FITS)
		return;
	assert(verdict_is_forcible(v->code));
	assert(strlen(v->text) < 256 && name_is_printable(v->text));
}

/* The lines as suffixes, every second one relaxed: what is chosen must be allowed. */
static void check_choice(char *text, const char *full, const char *name) {
	struct match_candidate c[16];
	size_t n = 0;
	ssize_t r;

	for (char *line; n < ARRAY_SIZE(c) && (line = strsep(&text, "\n")); n++)
		c[n] = (struct match_candidate){ line, n % 2 };
	r = match_choose(c, n, full, name);
	assert(r == -ENOENT || r == -ENOTUNIQ || (r >= 0 && (size_t)r < n));
	if (r >= 0)
		assert(c[r].relaxed || strcmp(c[r].suffix, name) == 0 ||
		       strncmp(c[r].suffix, full, strlen(c[r].suffix)) == 0);
}

/* The first byte is class, scope, architecture; then the host's text, 0xff, the other's. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	_cleanup_(release_freep) struct release *host = NULL, *extension = NULL;
	_cleanup_(verdict_done) struct verdict v = { 0 };
	_cleanup_free_ char *text = NULL;
	const uint8_t *end;

	if (size < 1 || !(end = memchr(data + 1, 0xff, size - 1)))
		return 0;
	text = strndup((const char *)end + 1, size - (end + 1 - data));
	check_choice(text, "foo_1.2", "foo");

	host = parse(data + 1, end - data - 1);
	extension = parse(end + 1, size - (end + 1 - data));
	if (!host || !extension)
		return 0;
	const struct match_host h = {
		.release = host,
		.architecture = data[0] & 4 ? NULL : "x86-64",
		.scope = data[0] & 2 ? "initrd" : "system",
	};
	assert(match_release(&classes[data[0] & 1], &h, extension, &v) == 0);
	check_verdict(&v);
	return 0;
}

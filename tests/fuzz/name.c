/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whether the parts of any name that is taken are safe, and are all of it. */
#include "merge/name.h"

#include <assert.h>
#include <string.h>

#include "merge/architecture.h"
#include "merge/class.h"
#include "merge/version.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *skip(const char *s, const char *prefix) {
	assert(strncmp(s, prefix, strlen(prefix)) == 0);
	return s + strlen(prefix);
}

static const char *skip_number(const char *s, int number) {
	char *end;

	assert(*s >= '0' && *s <= '9' && number >= 0);
	assert(strtol(s, &end, 10) == number);
	return end;
}

/* The full name is the parts with their separators, and nothing else. */
static void check_parts(const struct name *n) {
	const char *s = skip(n->full, n->name);

	if (n->version)
		s = skip(skip(s, "_"), n->version);
	if (n->architecture)
		s = skip(skip(s, "_"), n->architecture);
	if (n->left != NAME_TRIES_NONE)
		s = skip_number(skip(s, "+"), n->left);
	if (n->done != NAME_TRIES_NONE)
		s = skip_number(skip(s, "-"), n->done);
	assert(*s == '\0');
}

static void check_name(const struct name *n) {
	assert(n->name[0] != '\0' && n->name[0] != '.');
	assert(strlen(n->full) <= 255 && !strchr(n->full, '/'));
	assert(name_is_printable(n->full) && name_is_printable(n->name));
	assert(!n->version || version_is_valid(n->version));
	assert(!n->architecture || (n->version && architecture_is_known(n->architecture)));
	assert(n->done == NAME_TRIES_NONE || n->left != NAME_TRIES_NONE);
	check_parts(n);
}

/* The first byte is the kind and the class; then two names, separated by a line feed. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	_cleanup_(name_done) struct name a = { 0 }, b = { 0 };
	_cleanup_free_ char *text = size > 0 ? strndup((const char *)data + 1, size - 1)
					     : NULL;
	const char *entry[2], *why = NULL, *suffix;
	enum name_kind kind;
	int r[2];

	if (!text)
		return 0;
	kind = (enum name_kind)(data[0] % 4);
	suffix = classes[data[0] / 4 % CLASS_COUNT].suffix;
	entry[1] = text;
	entry[0] = strsep((char **)&entry[1], "\n");

	r[0] = name_parse(entry[0], kind, suffix, &a, &why);
	assert(r[0] == 0 || r[0] == -ENOENT || (r[0] == -EINVAL && why));
	r[1] = name_parse(entry[1] ?: "", kind, suffix, &b, &why);
	if (r[0] == 0)
		check_name(&a);
	if (r[0] == 0 && r[1] == 0) {
		int ab = name_compare_pick(&a, &b, "x86-64", "x86");
		int ba = name_compare_pick(&b, &a, "x86-64", "x86");

		assert((ab > 0) == (ba < 0) && (ab == 0) == (ba == 0));
		assert((ab == 0) == (strcmp(a.full, b.full) == 0));
	}
	return 0;
}

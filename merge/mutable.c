/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What may be written in a merged hierarchy, and where the host's own files lie in it. */
#include "mutable.h"

#include <string.h>

static const char *const modes[] = {
	[MUTABLE_NO] = "no",
	[MUTABLE_AUTO] = "auto",
	[MUTABLE_YES] = "yes",
	[MUTABLE_IMPORT] = "import",
	[MUTABLE_EPHEMERAL] = "ephemeral",
	[MUTABLE_EPHEMERAL_IMPORT] = "ephemeral-import",
};

static const char *const places[] = { [BASE_BOTTOM] = "bottom", [BASE_TOP] = "top" };

/* The index of the word, or -EINVAL. */
static int find(const char *const *words, size_t n, const char *text) {
	for (size_t i = 0; i < n; i++)
		if (strcmp(words[i], text) == 0)
			return (int)i;
	return -EINVAL;
}

int mutable_mode_from(const char *text, enum mutable_mode *ret) {
	int i = find(modes, ARRAY_SIZE(modes), text);

	if (i < 0)
		return i;
	*ret = (enum mutable_mode)i;
	return 0;
}

const char *mutable_mode_text(enum mutable_mode m) {
	return modes[m];
}

bool mutable_keeps(enum mutable_mode m) {
	return m == MUTABLE_AUTO || m == MUTABLE_YES;
}

bool mutable_imports(enum mutable_mode m) {
	return m == MUTABLE_IMPORT || m == MUTABLE_EPHEMERAL_IMPORT;
}

bool mutable_forgets(enum mutable_mode m) {
	return m == MUTABLE_EPHEMERAL || m == MUTABLE_EPHEMERAL_IMPORT;
}

int base_place_from(const char *text, enum base_place *ret) {
	int i = find(places, ARRAY_SIZE(places), text);

	if (i < 0)
		return i;
	*ret = (enum base_place)i;
	return 0;
}

const char *base_place_text(enum base_place p) {
	return places[p];
}

bool mutable_is_size(const char *text) {
	size_t digits = strspn(text, "0123456789");
	const char *unit = text + digits;
	unsigned long number;

	if (digits == 0 || digits > 12 || strlen(unit) > 1)
		return false;
	number = strtoul(text, NULL, 10);
	if (*unit == '%')
		return number >= 1 && number <= 100;
	return number > 0 && strchr("KMGT", *unit); /* the NUL is there as well */
}

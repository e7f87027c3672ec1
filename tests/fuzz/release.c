/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whether any bytes are refused with a reason and a line, or become printable values. */
#include "merge/release.h"

#include <assert.h>
#include <string.h>

#include "merge/name.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_refused(int error, size_t size, const char *why, unsigned line) {
	assert(why && *why);
	if (error == -EFBIG)
		assert(size > RELEASE_SIZE_MAX && line == 0);
	else
		assert(error == -EINVAL && line >= 1 && line <= size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	static const char *const keys[] = {
		"ID", "VERSION_ID", "ARCHITECTURE", "SYSEXT_SCOPE", "CONFEXT_LEVEL", ""
	};
	_cleanup_(release_freep) struct release *r = NULL;
	const char *why = NULL;
	unsigned line = 0;
	int error = release_parse((const char *)data, size, &r, &why, &line);

	if (error < 0) {
		assert(!r);
		check_refused(error, size, why, line);
		return 0;
	}
	assert(!why && line == 0);
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		const char *value = release_get(r, keys[i]);

		if (value)
			assert(*keys[i] && strlen(value) < size &&
			       name_is_printable(value));
		if (value)
			assert(!release_is_empty(r));
	}
	return 0;
}

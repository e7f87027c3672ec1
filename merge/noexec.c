/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whether files in a merged tree may be executed. */
#include "noexec.h"

#include <string.h>

#include "kernel.h"

static const char *const words[] = {
	[NOEXEC_AUTO] = "auto",
	[NOEXEC_YES] = "yes",
	[NOEXEC_NO] = "no",
};

int noexec_from(const char *text, enum noexec *ret) {
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strcmp(text, words[i]) == 0) {
			*ret = (enum noexec)i;
			return 0;
		}
	return -EINVAL;
}

const char *noexec_text(enum noexec n) {
	return words[n];
}

bool noexec_holds(enum noexec n, const struct class *class, bool runs_scripts) {
	if (n != NOEXEC_AUTO)
		return n == NOEXEC_YES;
	return class->mount_attributes & MOUNT_ATTR_NOEXEC && !runs_scripts;
}

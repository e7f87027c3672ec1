/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where programs of other packages are. */
#include "program.h"

#include "text.h"

/* No PATH: who sets it must not choose the program. */
static const char *const places[] = {
	"/usr/bin/", "/usr/sbin/",	"/bin/",
	"/sbin/",    "/usr/local/bin/", "/usr/local/sbin/",
};

char *program_find(const char *name) {
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		char *path = text_format("%s%s", places[i], name);

		if (path && access(path, X_OK) == 0)
			return path;
		free(path);
	}
	return NULL;
}

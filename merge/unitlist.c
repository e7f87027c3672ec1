/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Names of units or services, as a release file lists them. */
#include "unitlist.h"

#include <ctype.h>
#include <string.h>

#include "strv.h"

#define NAME_MAX_BYTES 255
#define BLANKS " \t\n"

static const char *const types[] = {
	".service",   ".socket", ".target", ".timer", ".path",	 ".mount",
	".automount", ".swap",	 ".slice",  ".scope", ".device", NULL,
};

static bool is_name(const char *name) {
	const char *type = strrchr(name, '.');

	if (!type || type == name || *name == '-' || *name == '.' ||
	    strlen(name) > NAME_MAX_BYTES)
		return false;
	for (const char *s = name; *s; s++)
		if (!isalnum((unsigned char)*s) && !strchr(":-_.\\@", *s))
			return false;
	return strv_contains((char *const *)types, type);
}

int unitlist_add(const char *text, char ***names, char ***bad) {
	int r = 0;

	while (r == 0 && text && *(text += strspn(text, BLANKS))) {
		size_t n = strcspn(text, BLANKS);
		_cleanup_free_ char *name = strndup(text, n);
		char ***to = name && is_name(name) ? names : bad;

		if (!name)
			return -ENOMEM;
		if (!strv_contains(*to, name))
			r = strv_append(to, name);
		text += n;
	}
	return r;
}

char *unitlist_service(const char *unit, int *ret_error) {
	const char *type = strrchr(unit, '.');
	char *name;

	*ret_error = 0;
	if (!type || strcmp(type, ".service") != 0 || strpbrk(unit, "@\\:"))
		return NULL;
	name = strndup(unit, (size_t)(type - unit));
	if (!name)
		*ret_error = -ENOMEM;
	return name;
}

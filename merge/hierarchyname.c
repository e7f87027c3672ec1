/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which directories may be hierarchies. */
#include "hierarchyname.h"

#include <string.h>

#define CHARACTERS                                             \
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz" \
	"0123456789-_.+"

/* hierarchy.2: what a merged tree, which is another file system and mostly read-only, would break. */
static const struct {
	const char *name, *why;
} forbidden[] = {
	{ "proc", "it is the kernel's own" },
	{ "sys", "it is the kernel's own" },
	{ "dev", "devices come and go there" },
	{ "run", "what runs has its sockets and locks there, extmerge as well" },
	{ "tmp", "everybody writes there" },
	{ "var", "what runs writes there, and extensions are found there" },
	{ "boot", "boot loaders read it, and see no merged tree" },
	{ "efi", "boot loaders read it, and see no merged tree" },
	{ "home", "it is people's own" },
	{ "root", "it is people's own" },
};

const char *hierarchy_name_forbidden(size_t i) {
	return i < ARRAY_SIZE(forbidden) ? forbidden[i].name : NULL;
}

int hierarchy_name_check(const char *name, const char **ret_why) {
	size_t len = strlen(name);

	if (len == 0) {
		*ret_why = "it is the root itself";
		return -EINVAL;
	}
	if (strchr(name, '/')) {
		*ret_why = "it is not directly below the root";
		return -EINVAL;
	}
	if (len > HIERARCHY_NAME_MAX || *name == '.' ||
	    name[strspn(name, CHARACTERS)] != '\0') {
		*ret_why =
			"a name is made of up to 64 letters, digits, '-', '_', '.' and '+', "
			"and does not start with a dot";
		return -EINVAL;
	}
	for (size_t i = 0; i < ARRAY_SIZE(forbidden); i++)
		if (strcmp(forbidden[i].name, name) == 0) {
			*ret_why = forbidden[i].why;
			return -EINVAL;
		}
	return 0;
}

const struct class *hierarchy_name_class(const char *name) {
	for (size_t c = 0; c < CLASS_COUNT; c++)
		for (const char *const *h = classes[c].hierarchies; *h; h++)
			if (strcmp(*h, name) == 0)
				return &classes[c];
	return NULL;
}

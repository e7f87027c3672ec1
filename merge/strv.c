/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* NULL-terminated arrays of strings. */
#include "strv.h"

#include <string.h>

int strv_append(char ***v, const char *text) {
	size_t n = strv_length(*v);
	char **grown = reallocarray(*v, n + 2, sizeof(char *));

	if (!grown)
		return -ENOMEM;
	*v = grown;
	grown[n] = strdup(text);
	if (!grown[n])
		return -ENOMEM;
	grown[n + 1] = NULL;
	return 0;
}

size_t strv_length(char *const *v) {
	size_t n = 0;

	while (v && v[n])
		n++;
	return n;
}

bool strv_contains(char *const *v, const char *text) {
	for (; v && *v; v++)
		if (strcmp(*v, text) == 0)
			return true;
	return false;
}

static int compare_text(const void *a, const void *b) {
	return strcmp(*(char *const *)a, *(char *const *)b);
}

void strv_sort(char **v) {
	if (v)
		qsort(v, strv_length(v), sizeof(char *), compare_text);
}

void strv_free(char **v) {
	for (char **p = v; p && *p; p++)
		free(*p);
	free(v);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* NULL-terminated arrays of strings. Pure. */
#pragma once

#include "base.h"

/* Appends a copy of `text`; *v may be NULL. 0 or -ENOMEM, then *v is unchanged. */
int strv_append(char ***v, const char *text);

size_t strv_length(char *const *v);
bool strv_contains(char *const *v, const char *text);

/* Sorts by bytes. */
void strv_sort(char **v);

void strv_free(char **v);
static inline void strv_freep(char ***v) {
	strv_free(*v);
}
#define _cleanup_strv_ _cleanup_(strv_freep)

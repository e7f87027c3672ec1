/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whether any three versions have an order: antisymmetric, transitive (order.1, order.2). */
#include "merge/version.h"

#include <assert.h>
#include <string.h>

#include "merge/base.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int sign(int r) {
	return (r > 0) - (r < 0);
}

static void check_order(int (*compare)(const char *, const char *), const char *a,
			const char *b, const char *c) {
	int ab = sign(compare(a, b)), bc = sign(compare(b, c)), ac = sign(compare(a, c));

	assert(compare(a, a) == 0);
	assert(sign(compare(b, a)) == -ab);
	assert(sign(compare(c, b)) == -bc);
	assert(sign(compare(c, a)) == -ac);
	if (ab == 0 || bc == 0 || ab == bc)
		assert(ac == (ab != 0 ? ab : bc));
}

/* Three strings, separated by line feeds; a missing one is NULL. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	_cleanup_free_ char *text = strndup((const char *)data, size);
	char *rest = text, *a = strsep(&rest, "\n"), *b = strsep(&rest, "\n");

	check_order(version_compare, a, b, rest);
	check_order(version_compare_total, a, b, rest);
	assert((version_compare_total(a, b) == 0) == (strcmp(a, b ?: "") == 0));
	if (version_is_valid(a))
		assert(strlen(a) >= 1 && strlen(a) <= 255 && !strchr(a, '/'));
	return 0;
}

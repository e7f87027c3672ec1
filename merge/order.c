/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The order of the layers. */
#include "order.h"

#include <string.h>

#include "version.h"

/* order.1, order.2: the name that decides is the image's, as UAPI.4 says, not the class. */
int order_compare(const struct extension *a, const struct extension *b) {
	const char *left = a->name.full ?: "", *right = b->name.full ?: "";
	int r = (int)a->class->id - (int)b->class->id;

	if (r == 0)
		r = version_compare_total(left, right);
	if (r == 0)
		r = strcmp(a->path, b->path);
	return r;
}

static int compare_items(const void *a, const void *b) {
	return order_compare(*(struct extension *const *)a, *(struct extension *const *)b);
}

void order_sort(struct extensions *list) {
	if (list->n > 1)
		qsort(list->items, list->n, sizeof(*list->items), compare_items);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whether any text is refused, or is a record that comes back the same when it is printed. */
#include "merge/record.h"

#include <assert.h>
#include <string.h>

#include "merge/hierarchyname.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_record(const struct record *r) {
	const struct class *owner = hierarchy_name_class(r->hierarchy);
	const char *why;

	assert(hierarchy_name_check(r->hierarchy, &why) == 0);
	assert(!owner || owner == r->class);
	for (size_t i = 0; i < r->n_layers; i++)
		assert(record_find_layer(r, r->layers[i].name));
	for (size_t i = 0; i < r->n_skipped; i++)
		assert(r->skipped[i].name && r->skipped[i].code < VERDICT_COUNT);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	_cleanup_(record_freep) struct record *r = NULL, *back = NULL;
	_cleanup_free_ char *text = NULL, *again = NULL;
	int error = record_parse((const char *)data, size, &r);

	if (error < 0) {
		assert(error == -EBADMSG && !r);
		return 0;
	}
	check_record(r);
	assert(record_print(r, &text) == 0);
	assert(record_parse(text, strlen(text), &back) == 0);
	assert(record_has_same_layers(r, back));
	assert(record_print(back, &again) == 0);
	assert(strcmp(text, again) == 0);
	return 0;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Any image head, its checksums made right: what gpt_parse() accepts keeps its promises, gpt_choose() ends. */

#include <assert.h>
#include <string.h>

#include "tests/unit/image.h"
#include "verity/gpt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check_utf8(const char *label) {
	const uint8_t *p = (const uint8_t *)label;

	assert(memchr(label, 0, GPT_LABEL_MAX));
	while (*p) {
		static const uint32_t least[] = { 0, 0x80, 0x800, 0x10000 };
		size_t more = *p < 0x80 ? 0 : *p < 0xe0 ? 1 : *p < 0xf0 ? 2 : 3;
		uint32_t c = more ? *p & (0x3f >> more) : *p;

		assert(*p < 0x80 || (*p >= 0xc0 && *p < 0xf8));
		p++;
		for (size_t i = 0; i < more; i++, p++) {
			assert((*p & 0xc0) == 0x80);
			c = c << 6 | (*p & 0x3f);
		}
		assert(c >= least[more] && c < 0x110000 &&
		       (c & ~UINT32_C(0x7ff)) != 0xd800);
	}
}

static void check_partition(const struct gpt *g, size_t i, uint64_t size) {
	const struct gpt_partition *p = &g->partitions[i];

	assert(p->offset % g->sector_size == 0 && p->size % g->sector_size == 0);
	assert(p->size > 0 && p->offset <= size && p->size <= size - p->offset);
	assert(p->offset >= 2 * g->sector_size);
	assert(p->index < GPT_ENTRIES_MAX);
	check_utf8(p->label);
	for (size_t j = 0; j < i; j++) {
		const struct gpt_partition *q = &g->partitions[j];

		assert(q->index < p->index);
		assert(q->offset + q->size <= p->offset ||
		       p->offset + p->size <= q->offset);
		assert(memcmp(p->uuid, q->uuid, sizeof(p->uuid)) != 0);
	}
}

static void check_choice(const struct gpt *g, const char *native, const char *secondary) {
	struct gpt_choice c = { .architecture = "untouched" };
	const char *why = NULL;

	if (gpt_choose(g, native, secondary, strcmp, &c, &why) < 0) {
		assert(why && strcmp(c.architecture, "untouched") == 0);
		return;
	}
	for (size_t d = 0; d < GPT_DESIGNATOR_COUNT; d++) {
		for (size_t role = 0; role < GPT_ROLE_COUNT; role++)
			assert(c.partition[d][role] >= -1 &&
			       c.partition[d][role] < (int)g->n_partitions);
		assert(c.partition[d][GPT_VERITY] < 0 || c.partition[d][GPT_DATA] >= 0);
		assert(c.partition[d][GPT_SIGNATURE] < 0 ||
		       c.partition[d][GPT_VERITY] >= 0);
	}
	assert(c.partition[GPT_ROOT][GPT_DATA] >= 0 ||
	       c.partition[GPT_USR][GPT_DATA] >= 0);
}

static void check_image(const uint8_t *head, size_t len, uint64_t size) {
	const char *why = NULL;
	struct gpt g;
	int r;

	r = gpt_parse(head, len, size, &g, &why);
	assert(r == 0 || r == -ENODATA || r == -EBADMSG);
	assert((r == -EBADMSG) == (why != NULL));
	if (r < 0)
		return;
	assert(gpt_is_present(head, len));
	assert(g.sector_size == 512 || g.sector_size == 4096);
	for (size_t i = 0; i < g.n_partitions; i++)
		check_partition(&g, i, size);
	check_choice(&g, "x86-64", "x86");
	check_choice(&g, "arm64", NULL);
	check_choice(&g, NULL, NULL);
	gpt_done(&g);
}

/* The input is the head; the size stands in its first 8 bytes, where an image has boot code. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
	_cleanup_free_ uint8_t *head = malloc(len);
	uint64_t size;

	if (len < 8)
		return 0;
	memcpy(head, data, len);
	size = bytes_le64(head);
	check_image(head, len, size);
	gpt_seal(head, len, 512);
	check_image(head, len, size);
	memcpy(head, data, len);
	gpt_seal(head, len, 4096);
	check_image(head, len, size);
	return 0;
}

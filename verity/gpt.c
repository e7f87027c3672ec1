/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The strict reader of GUID partition tables: each part is checked before the next. */

#include <string.h>

#include "../merge/bytes.h"
#include "crc32.h"
#include "gpt.h"

#define REVISION 0x00010000
#define HEADER_SIZE 92
#define ENTRY_SIZE 128
#define LABEL_UNITS 36

static const uint32_t sector_sizes[] = { 512, 4096 };
static const uint8_t guid_zero[16];

/* The image's head and what the header says about the table. Borrowed. */
struct reader {
	const uint8_t *head;
	size_t len;
	uint64_t size;
	uint32_t sector_size;
	const uint8_t *header, *table;
	uint32_t n_entries;
	uint64_t first_usable, last_usable; /* sectors, both inclusive */
};

static int refuse(const char **ret_why, const char *why) {
	*ret_why = why;
	return -EBADMSG;
}

/* UEFI 5.3.2: the header's own checksum field counts as zero. */
static uint32_t header_crc(const uint8_t *header, size_t len) {
	static const uint8_t zero[4];
	uint32_t crc = crc32_add(UINT32_MAX, header, 16);

	crc = crc32_add(crc, zero, sizeof(zero));
	return ~crc32_add(crc, header + 20, len - 20);
}

static bool has_signature(const void *head, size_t len, uint32_t sector_size) {
	return len >= sector_size + 8 &&
	       memcmp((const uint8_t *)head + sector_size, "EFI PART", 8) == 0;
}

bool gpt_is_present(const void *head, size_t len) {
	for (size_t i = 0; i < ARRAY_SIZE(sector_sizes); i++)
		if (has_signature(head, len, sector_sizes[i]))
			return true;
	return false;
}

/* dissect.2: the signature's place tells the sector size. */
static int find_header(struct reader *rd, const char **ret_why) {
	for (size_t i = 0; i < ARRAY_SIZE(sector_sizes); i++) {
		if (!has_signature(rd->head, rd->len, sector_sizes[i]))
			continue;
		if (rd->sector_size)
			return refuse(ret_why, "partition tables for two sector sizes");
		rd->sector_size = sector_sizes[i];
	}
	if (!rd->sector_size)
		return -ENODATA;
	if (rd->len < 2 * rd->sector_size)
		return refuse(ret_why, "the partition table's header is cut off");
	rd->header = rd->head + rd->sector_size;
	return 0;
}

/* dissect.4 */
static int check_header(const struct reader *rd, const char **ret_why) {
	uint32_t header_size = bytes_le32(rd->header + 12);

	if (bytes_le32(rd->header + 8) != REVISION)
		return refuse(ret_why, "unknown revision of the partition table");
	if (header_size < HEADER_SIZE || header_size > rd->sector_size)
		return refuse(ret_why, "wrong header size of the partition table");
	if (header_crc(rd->header, header_size) != bytes_le32(rd->header + 16))
		return refuse(ret_why, "wrong checksum of the partition table's header");
	if (bytes_le64(rd->header + 24) != 1)
		return refuse(ret_why, "the partition table's header is misplaced");
	return 0;
}

/* dissect.5 */
static int find_table(struct reader *rd, const char **ret_why) {
	uint64_t start = bytes_le64(rd->header + 72);
	uint32_t n = bytes_le32(rd->header + 80);

	if (bytes_le32(rd->header + 84) != ENTRY_SIZE)
		return refuse(ret_why, "partition entries are not of 128 bytes");
	if (n == 0 || n > GPT_ENTRIES_MAX)
		return refuse(ret_why, "no or too many partition entries");
	if (start < 2)
		return refuse(ret_why, "the partition entries overlap the header");
	if (start > rd->len / rd->sector_size ||
	    n * ENTRY_SIZE > rd->len - start * rd->sector_size)
		return refuse(ret_why, "the partition entries are out of reach");
	rd->table = rd->head + start * rd->sector_size;
	rd->n_entries = n;
	if (~crc32_add(UINT32_MAX, rd->table, n * ENTRY_SIZE) !=
	    bytes_le32(rd->header + 88))
		return refuse(ret_why, "wrong checksum of the partition entries");
	return 0;
}

/* dissect.6: every partition then lies in this range, so that no product can overflow. */
static int find_usable(struct reader *rd, const char **ret_why) {
	const uint8_t *table_end = rd->table + rd->n_entries * ENTRY_SIZE;

	rd->first_usable = bytes_le64(rd->header + 40);
	rd->last_usable = bytes_le64(rd->header + 48);
	if (rd->first_usable > rd->last_usable)
		return refuse(ret_why, "the usable range is inverted");
	if (rd->last_usable >= rd->size / rd->sector_size)
		return refuse(ret_why, "the usable range ends beyond the image");
	if (rd->first_usable * rd->sector_size < (uint64_t)(table_end - rd->head))
		return refuse(ret_why, "the usable range overlaps the partition entries");
	return 0;
}

/* On disk the first three fields of a GUID are little-endian (UEFI appendix A). */
static void read_guid(const uint8_t *p, uint8_t ret[static 16]) {
	static const uint8_t order[] = { 3, 2, 1, 0, 5, 4, 7, 6 };

	memcpy(ret, p, 16);
	for (size_t i = 0; i < sizeof(order); i++)
		ret[i] = p[order[i]];
}

static size_t put_utf8(uint32_t c, char *to) {
	static const struct {
		uint32_t below;
		uint8_t lead;
	} lengths[] = {
		{ 0x80, 0 }, { 0x800, 0xc0 }, { 0x10000, 0xe0 }, { 0x110000, 0xf0 }
	};
	size_t more = 0;

	while (c >= lengths[more].below)
		more++;
	for (size_t i = more; i > 0; i--, c >>= 6)
		to[i] = (char)(0x80 | (c & 0x3f));
	to[0] = (char)(lengths[more].lead | c);
	return more + 1;
}

static bool is_surrogate(uint32_t unit, uint32_t base) {
	return (unit & 0xfc00) == base;
}

/* dissect.8: 36 UTF-16 units, ended by the first zero; `label` starts zeroed. */
static void read_label(const uint8_t *p, char label[static GPT_LABEL_MAX]) {
	for (size_t i = 0, at = 0; i < LABEL_UNITS; i++) {
		uint32_t c = bytes_le16(p + 2 * i);
		uint32_t next = i + 1 < LABEL_UNITS ? bytes_le16(p + 2 * i + 2) : 0;

		if (c == 0)
			return;
		if (is_surrogate(c, 0xd800) && is_surrogate(next, 0xdc00)) {
			c = 0x10000 + ((c & 0x3ff) << 10 | (next & 0x3ff));
			i++;
		} else if (is_surrogate(c, 0xd800) || is_surrogate(c, 0xdc00)) {
			c = 0xfffd;
		}
		at += put_utf8(c, label + at);
	}
}

/* dissect.7 */
static int read_partition(const struct reader *rd, uint32_t index,
			  struct gpt_partition *ret, const char **ret_why) {
	const uint8_t *entry = rd->table + (size_t)index * ENTRY_SIZE;
	uint64_t first = bytes_le64(entry + 32), last = bytes_le64(entry + 40);

	if (first > last)
		return refuse(ret_why, "a partition is inverted");
	if (first < rd->first_usable || last > rd->last_usable)
		return refuse(ret_why, "a partition lies outside of the usable range");
	*ret = (struct gpt_partition){
		.index = index,
		.offset = first * rd->sector_size,
		.size = (last - first + 1) * rd->sector_size,
		.attributes = bytes_le64(entry + 48),
	};
	read_guid(entry, ret->type);
	read_guid(entry + 16, ret->uuid);
	read_label(entry + 56, ret->label);
	return 0;
}

static int read_partitions(const struct reader *rd, struct gpt *g, const char **ret_why) {
	g->partitions = calloc(rd->n_entries, sizeof(*g->partitions));
	if (!g->partitions)
		return -ENOMEM;
	for (uint32_t i = 0; i < rd->n_entries; i++) {
		int r;

		if (memcmp(rd->table + (size_t)i * ENTRY_SIZE, guid_zero, 16) == 0)
			continue;
		r = read_partition(rd, i, &g->partitions[g->n_partitions], ret_why);
		if (r < 0)
			return r;
		g->n_partitions++;
	}
	return 0;
}

/* dissect.7 */
static int check_pair(const struct gpt_partition *a, const struct gpt_partition *b,
		      const char **ret_why) {
	if (a->offset < b->offset + b->size && b->offset < a->offset + a->size)
		return refuse(ret_why, "two partitions overlap");
	if (memcmp(a->uuid, b->uuid, sizeof(a->uuid)) == 0)
		return refuse(ret_why, "two partitions have the same UUID");
	return 0;
}

static int check_pairs(const struct gpt *g, const char **ret_why) {
	for (size_t i = 0; i < g->n_partitions; i++)
		for (size_t j = 0; j < i; j++) {
			int r = check_pair(&g->partitions[i], &g->partitions[j], ret_why);

			if (r < 0)
				return r;
		}
	return 0;
}

static int read_header(struct reader *rd, const char **ret_why) {
	int r;

	r = find_header(rd, ret_why);
	if (r < 0)
		return r;
	r = check_header(rd, ret_why);
	if (r < 0)
		return r;
	r = find_table(rd, ret_why);
	if (r < 0)
		return r;
	return find_usable(rd, ret_why);
}

int gpt_parse(const void *head, size_t len, uint64_t size, struct gpt *ret,
	      const char **ret_why) {
	struct reader rd = { .head = head,
			     .len = len < size ? len : (size_t)size,
			     .size = size };
	_cleanup_(gpt_done) struct gpt g = {};
	int r;

	r = read_header(&rd, ret_why);
	if (r < 0)
		return r;
	r = read_partitions(&rd, &g, ret_why);
	if (r < 0)
		return r;
	r = check_pairs(&g, ret_why);
	if (r < 0)
		return r;
	g.sector_size = rd.sector_size;
	read_guid(rd.header + 56, g.disk);
	*ret = g;
	g = (struct gpt){};
	return 0;
}

void gpt_done(struct gpt *g) {
	free(g->partitions);
	*g = (struct gpt){};
}

void gpt_format_guid(const uint8_t guid[static 16], char ret[static 37]) {
	static const char digits[] = "0123456789abcdef";
	char *at = ret;

	for (size_t i = 0; i < 16; i++) {
		if (i >= 4 && i <= 10 && i % 2 == 0)
			*at++ = '-';
		*at++ = digits[guid[i] >> 4];
		*at++ = digits[guid[i] & 0xf];
	}
	*at = '\0';
}

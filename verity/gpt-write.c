/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The writer of GUID partition tables: entries, then the two headers that speak of them. */
#include "gpt-write.h"

#include <string.h>

#include "../merge/bytes.h"
#include "crc32.h"

#define SECTOR 512
#define ENTRIES 128
#define ENTRY_SIZE 128
#define TABLE_SIZE ((size_t)ENTRIES * ENTRY_SIZE)
#define TABLE_SECTORS (TABLE_SIZE / SECTOR)
#define HEADER_SIZE 92

static uint64_t round_up(uint64_t n) {
	return (n + GPT_WRITE_GRAIN - 1) / GPT_WRITE_GRAIN * GPT_WRITE_GRAIN;
}

uint64_t gpt_arrange(struct gpt *g) {
	uint64_t at = round_up(GPT_WRITE_HEAD);

	g->sector_size = SECTOR;
	for (size_t i = 0; i < g->n_partitions; i++) {
		g->partitions[i].index = (unsigned)i;
		g->partitions[i].offset = at;
		at += g->partitions[i].size;
	}
	return round_up(at + GPT_WRITE_TAIL);
}

/* The first three fields of a GUID are little-endian numbers on disk (UEFI appendix A). */
static void put_guid(uint8_t *p, const uint8_t guid[static 16]) {
	static const uint8_t order[16] = { 3, 2, 1,  0,	 5,  4,	 7,  6,
					   8, 9, 10, 11, 12, 13, 14, 15 };

	for (size_t i = 0; i < sizeof(order); i++)
		p[i] = guid[order[i]];
}

static void put_entry(uint8_t *p, const struct gpt_partition *from) {
	put_guid(p, from->type);
	put_guid(p + 16, from->uuid);
	bytes_put(p + 32, 8, from->offset / SECTOR);
	bytes_put(p + 40, 8, (from->offset + from->size) / SECTOR - 1);
	bytes_put(p + 48, 8, from->attributes);
	for (size_t i = 0; from->label[i]; i++)
		p[56 + 2 * i] = (uint8_t)from->label[i];
}

/* `at` and `other`: sectors of this header and of the other one; `table`: of this one's entries. */
static void put_header(uint8_t *p, const struct gpt *g, uint64_t sectors, uint64_t at,
		       uint64_t other, uint64_t table, uint32_t table_crc) {
	memcpy(p, "EFI PART", 8);
	bytes_put(p + 8, 4, 0x00010000); /* revision 1.0 */
	bytes_put(p + 12, 4, HEADER_SIZE);
	bytes_put(p + 24, 8, at);
	bytes_put(p + 32, 8, other);
	bytes_put(p + 40, 8, 2 + TABLE_SECTORS);	   /* first usable */
	bytes_put(p + 48, 8, sectors - 2 - TABLE_SECTORS); /* last usable */
	put_guid(p + 56, g->disk);
	bytes_put(p + 72, 8, table);
	bytes_put(p + 80, 4, ENTRIES);
	bytes_put(p + 84, 4, ENTRY_SIZE);
	bytes_put(p + 88, 4, table_crc);
	bytes_put(p + 16, 4, ~crc32_add(UINT32_MAX, p, HEADER_SIZE));
}

/* UEFI 5.2.3: one partition of type 0xee over all, for those who know nothing of GPT. */
static void put_mbr(uint8_t *p, uint64_t sectors) {
	uint8_t *entry = p + 446;

	bytes_put(entry + 1, 3, 0x000200);
	entry[4] = 0xee;
	bytes_put(entry + 5, 3, 0xffffff);
	bytes_put(entry + 8, 4, 1);
	bytes_put(entry + 12, 4, sectors - 1 < UINT32_MAX ? sectors - 1 : UINT32_MAX);
	bytes_put(p + 510, 2, 0xaa55);
}

void gpt_write(const struct gpt *g, uint64_t size, uint8_t ret_head[static GPT_WRITE_HEAD],
	       uint8_t ret_tail[static GPT_WRITE_TAIL]) {
	uint64_t sectors = size / SECTOR, last = sectors - 1;
	uint8_t *table = ret_head + (size_t)2 * SECTOR;
	uint32_t crc;

	memset(ret_head, 0, GPT_WRITE_HEAD);
	memset(ret_tail, 0, GPT_WRITE_TAIL);
	for (size_t i = 0; i < g->n_partitions; i++)
		put_entry(table + i * ENTRY_SIZE, &g->partitions[i]);
	memcpy(ret_tail, table, TABLE_SIZE);
	crc = ~crc32_add(UINT32_MAX, table, TABLE_SIZE);
	put_mbr(ret_head, sectors);
	put_header(ret_head + SECTOR, g, sectors, 1, last, 2, crc);
	put_header(ret_tail + TABLE_SIZE, g, sectors, last, 1, last - TABLE_SECTORS, crc);
}

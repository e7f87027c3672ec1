/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Laying out and writing the partition table of a disk image (UEFI 5.2 and 5.3, UAPI.3). Pure. */
#pragma once

#include "gpt.h"

/* Where partitions begin and end: the block of file systems and hash trees, 8 sectors. */
#define GPT_WRITE_GRAIN UINT64_C(4096)
/* Protective MBR, header and 128 entries; and at the end of the image the backup, without MBR. */
#define GPT_WRITE_HEAD ((size_t)34 * 512)
#define GPT_WRITE_TAIL ((size_t)33 * 512)

/*
 * Gives the partitions of `g` their index and offset, one behind the other, and returns the size of the image in
 * bytes, backup table included. Their sizes are multiples of the grain already (specs: pack.8).
 */
uint64_t gpt_arrange(struct gpt *g);

/*
 * Writes both tables of an image of `size` bytes, as gpt_arrange() gave it: `ret_head` belongs at its start,
 * `ret_tail` at its end. Sectors have 512 bytes whatever g->sector_size says; there are at most 128
 * partitions, with labels of at most 36 ASCII characters. The same `g` is always the same bytes.
 */
void gpt_write(const struct gpt *g, uint64_t size, uint8_t ret_head[static GPT_WRITE_HEAD],
	       uint8_t ret_tail[static GPT_WRITE_TAIL]);

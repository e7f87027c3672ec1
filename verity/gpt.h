/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A strict reader of GUID partition tables and the choice of an extension's partitions (UAPI.2, UAPI.3). Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../merge/base.h"

/* How many bytes from the start of the image gpt_parse() wants. */
#define GPT_HEAD ((size_t)1024 * 1024)
#define GPT_ENTRIES_MAX 1024
#define GPT_LABEL_MAX (36 * 3 + 1) /* 36 UTF-16 units as UTF-8, with NUL */

enum gpt_role { GPT_DATA, GPT_VERITY, GPT_SIGNATURE, GPT_ROLE_COUNT };
enum gpt_designator { GPT_ROOT, GPT_USR, GPT_DESIGNATOR_COUNT };

/* A partition that this project knows what to do with. */
struct gpt_partition {
	unsigned index;		    /* in the table, from 0 */
	uint64_t offset, size;	    /* bytes; checked against the image's size */
	uint8_t type[16], uuid[16]; /* in the byte order in which a GUID is printed */
	uint64_t attributes;
	char label[GPT_LABEL_MAX]; /* UTF-8; unpaired surrogates are replaced by U+FFFD */
};

struct gpt {
	uint32_t sector_size; /* 512 or 4096 */
	uint8_t disk[16];
	struct gpt_partition *partitions; /* used entries in the order of the table */
	size_t n_partitions;
};

/*
 * Whether the signature "EFI PART" stands at byte 512 or 4096. If it does, the image is a disk
 * image and nothing else: a table that then fails is refused, never read as a bare file system.
 */
bool gpt_is_present(const void *head, size_t len);

/*
 * Reads the primary table in `head`: `len` bytes, the first min(GPT_HEAD, size) of an image of
 * `size` bytes. 0 with *ret to be freed by gpt_done(); -ENODATA where none is present; -ENOMEM;
 * otherwise -EBADMSG and *ret_why, a static sentence: two signatures, revision, header size, header
 * CRC, own place (my_lba), entry size other than 128, entry count 0 or over GPT_ENTRIES_MAX, table
 * outside of the head or overlapping the header, table CRC, usable range, a partition that is
 * inverted, wraps, overlaps another or the table, has the UUID of another, or ends beyond the usable
 * range or the image. The backup is never used (specs: dissect.1 to dissect.8).
 */
int gpt_parse(const void *head, size_t len, uint64_t size, struct gpt *ret,
	      const char **ret_why);
void gpt_done(struct gpt *g);

/*
 * What a partition type means; false for types that are none of ours. *ret_architecture is static,
 * and NULL for generic Linux data, which counts as root data.
 */
bool gpt_type_lookup(const uint8_t type[static 16], enum gpt_designator *ret_designator,
		     enum gpt_role *ret_role, const char **ret_architecture);

/* Whether it counts at all: no attribute and no label takes it out (specs: dissect.9). */
bool gpt_is_candidate(const struct gpt_partition *p);

/*
 * The other way round: the type of a partition for that role. False for an architecture without types,
 * of which UAPI.2 knows none but those of specs/gpt-types.tsv.
 */
bool gpt_type_of(const char *architecture, enum gpt_designator designator,
		 enum gpt_role role, uint8_t ret[static 16]);

/* The partitions of one image that matter: indices into gpt.partitions, -1 where there is none. */
struct gpt_choice {
	const char *architecture; /* static, NULL for the generic fallback */
	int partition[GPT_DESIGNATOR_COUNT][GPT_ROLE_COUNT];
};

/*
 * Chooses by UAPI.2 and UAPI.3 for a host of architecture `native` with `secondary` (or NULL)
 * (specs: dissect.9 to dissect.14): partitions with the no-auto attribute (bit 63), labels that
 * start with "PRT#" or "PND#" and the label "_empty" are left out; native before secondary; among
 * candidates of one kind the highest label by `compare`, then the lowest index. Without any root or
 * usr partition, a single generic Linux data partition is the root.
 * 0; else *ret_why is a static sentence: -ENOENT nothing to use; -ENOEXEC only partitions of other
 * architectures; -ENOTUNIQ two generic partitions, root and usr of different architectures, or
 * verity on root beside a usr partition;
 * -EBADMSG verity without data, or a signature without verity.
 */
int gpt_choose(const struct gpt *g, const char *native, const char *secondary,
	       int (*compare)(const char *a, const char *b), struct gpt_choice *ret,
	       const char **ret_why);

/* Prints a GUID in lower case with dashes: 36 characters and NUL. */
void gpt_format_guid(const uint8_t guid[static 16], char ret[static 37]);

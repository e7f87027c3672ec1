/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Superblocks built in memory with the layouts of mkfs.erofs, mksquashfs, mkfs.ext4 and mkfs.btrfs. */

#include <check.h>
#include <string.h>

#include "image.h"
#include "merge/fstype.h"
#include "unit.h"

#define SIZE (UINT64_C(1024) * 1024)
#define EXT4 1024
#define BTRFS 0x10000

struct field {
	size_t offset, width;
	uint64_t value;
};

#define FIELDS_MAX 8

/* The least that makes each a sound file system that fills SIZE to the last byte. */
static const struct field sound[FSTYPE_COUNT][FIELDS_MAX] = {
	[FSTYPE_EROFS] = { { 1024, 4, 0xe0f5e1e2 },
			   { 1028, 4, 0x12345678 },
			   { 1024 + 12, 1, 12 },
			   { 1024 + 36, 4, SIZE >> 12 } },
	[FSTYPE_SQUASHFS] = { { 0, 4, 0x73717368 },
			      { 4, 4, 3 },
			      { 12, 4, 1 << 17 },
			      { 22, 2, 17 },
			      { 28, 2, 4 },
			      { 40, 8, SIZE } },
	[FSTYPE_EXT4] = { { EXT4 + 0x38, 2, 0xef53 },
			  { EXT4 + 0x3a, 2, 1 },
			  { EXT4 + 0x18, 4, 2 },
			  { EXT4 + 0x04, 4, SIZE >> 12 },
			  { EXT4 + 0x5c, 4, 0x3c },
			  { EXT4 + 0x60, 4, 0x2c2 },
			  { EXT4 + 0xe0, 4, 8 } },
	[FSTYPE_BTRFS] = { { BTRFS + 0x40, 8, UINT64_C(0x4d5f53665248425f) },
			   { BTRFS + 0x30, 8, BTRFS },
			   { BTRFS + 0x70, 8, SIZE },
			   { BTRFS + 0x88, 8, 1 } },
};

static uint8_t head[FSTYPE_HEAD];

static void put(const struct field *f, size_t n) {
	for (size_t i = 0; i < n; i++)
		put_le(head + f[i].offset, f[i].width, f[i].value);
}

static void build(enum fstype t) {
	memset(head, 0, sizeof(head));
	put(sound[t], FIELDS_MAX);
}

static void check_head(int expected, const char *sentence, enum fstype type) {
	enum fstype t = FSTYPE_NONE;
	const char *why = NULL;
	int r;

	r = fstype_probe(head, sizeof(head), SIZE, &t, &why);
	ck_assert_msg(r == expected, "%d, not %d: %s", r, expected, why);
	ck_assert_pstr_eq(why, sentence);
	ck_assert_int_eq(t, type);
}

START_TEST(sound_is_found) {
	build((enum fstype)_i);
	check_head(0, NULL, (enum fstype)_i);
}
END_TEST

static const struct {
	enum fstype type;
	struct field field;
	int r;
	const char *why; /* NULL: still found */
} mutations[] = {
	/* dissect.18 */
	{ FSTYPE_EROFS, { 1036, 1, 9 }, 0, NULL },
	{ FSTYPE_EROFS, { 1036, 1, 8 }, -EBADMSG, "erofs: impossible block size" },
	{ FSTYPE_EROFS, { 1036, 1, 17 }, -EBADMSG, "erofs: impossible block size" },
	{ FSTYPE_EROFS, { 1036, 1, 255 }, -EBADMSG, "erofs: impossible block size" },
	{ FSTYPE_EROFS, { 1036, 1, 13 }, -EBADMSG, "erofs: the image is truncated" },
	{ FSTYPE_EROFS,
	  { 1060, 4, (SIZE >> 12) + 1 },
	  -EBADMSG,
	  "erofs: the image is truncated" },
	{ FSTYPE_EROFS,
	  { 1060, 4, UINT32_MAX },
	  -EBADMSG,
	  "erofs: the image is truncated" },
	{ FSTYPE_EROFS,
	  { 1104, 8, 0x0001000000000008 },
	  -EBADMSG,
	  "erofs: the data lies on other devices" },
	{ FSTYPE_EROFS, { 1104, 8, 0x0001000000000001 }, 0, NULL },
	{ FSTYPE_EROFS, { 1104, 8, 0x0000ffff00000008 }, 0, NULL },
	/* dissect.19 */
	{ FSTYPE_SQUASHFS, { 28, 2, 3 }, -EBADMSG, "squashfs: major version is not 4" },
	{ FSTYPE_SQUASHFS, { 22, 2, 16 }, -EBADMSG, "squashfs: impossible block size" },
	{ FSTYPE_SQUASHFS, { 22, 2, 11 }, -EBADMSG, "squashfs: impossible block size" },
	{ FSTYPE_SQUASHFS, { 22, 2, 0xffff }, -EBADMSG, "squashfs: impossible block size" },
	{ FSTYPE_SQUASHFS, { 12, 4, 0 }, -EBADMSG, "squashfs: impossible block size" },
	{ FSTYPE_SQUASHFS,
	  { 40, 8, SIZE + 1 },
	  -EBADMSG,
	  "squashfs: the image is truncated" },
	{ FSTYPE_SQUASHFS,
	  { 40, 8, UINT64_MAX },
	  -EBADMSG,
	  "squashfs: the image is truncated" },
	/* dissect.20; 0x2c2 is filetype, extents, 64bit, flex_bg */
	{ FSTYPE_EXT4, { EXT4 + 0x18, 4, 0 }, 0, NULL },
	{ FSTYPE_EXT4,
	  { EXT4 + 0x60, 4, 0x2c6 },
	  -EUCLEAN,
	  "ext4: the journal was not replayed" },
	{ FSTYPE_EXT4,
	  { EXT4 + 0x60, 4, 0x202c2 },
	  -EBADMSG,
	  "ext4: case folding cannot be merged" },
	{ FSTYPE_EXT4,
	  { EXT4 + 0x60, 4, 0x8 },
	  -EBADMSG,
	  "ext4: the journal lies elsewhere" },
	{ FSTYPE_EXT4,
	  { EXT4 + 0xe0, 4, 0 },
	  -EBADMSG,
	  "ext4: the journal lies elsewhere" },
	{ FSTYPE_EXT4,
	  { EXT4 + 0x04, 4, (SIZE >> 12) + 1 },
	  -EBADMSG,
	  "ext4: the image is truncated" },
	{ FSTYPE_EXT4, { EXT4 + 0x18, 4, 3 }, -EBADMSG, "ext4: the image is truncated" },
	{ FSTYPE_EXT4, { EXT4 + 0x150, 4, 1 }, -EBADMSG, "ext4: the image is truncated" },
	/* dissect.17 */
	{ FSTYPE_EXT4, { EXT4 + 0x18, 4, 7 }, -ENODATA, "no known file system" },
	{ FSTYPE_EXT4, { EXT4 + 0x18, 4, UINT32_MAX }, -ENODATA, "no known file system" },
	/* dissect.21 */
	{ FSTYPE_BTRFS,
	  { BTRFS + 0x60, 8, 1 },
	  -EUCLEAN,
	  "btrfs: the log was not replayed" },
	{ FSTYPE_BTRFS,
	  { BTRFS + 0x88, 8, 2 },
	  -EBADMSG,
	  "btrfs: the data lies on other devices" },
	{ FSTYPE_BTRFS,
	  { BTRFS + 0x88, 8, 0 },
	  -EBADMSG,
	  "btrfs: the data lies on other devices" },
	{ FSTYPE_BTRFS,
	  { BTRFS + 0x70, 8, SIZE + 1 },
	  -EBADMSG,
	  "btrfs: the image is truncated" },
	{ FSTYPE_BTRFS,
	  { BTRFS + 0x30, 8, 0x4000000 },
	  -EBADMSG,
	  "btrfs: the superblock is misplaced" },
};

START_TEST(mutation) {
	typeof(*mutations) *m = &mutations[_i];

	build(m->type);
	put(&m->field, 1);
	check_head(m->r, m->why, m->r == 0 ? m->type : FSTYPE_NONE);
}
END_TEST

/* Without the 64bit feature the upper half of ext4's block count is something else. */
START_TEST(ext4_without_64bit) {
	static const struct field fields[] = { { EXT4 + 0x60, 4, 0x242 },
					       { EXT4 + 0x150, 4, UINT32_MAX } };

	build(FSTYPE_EXT4);
	put(fields, ARRAY_SIZE(fields));
	check_head(0, NULL, FSTYPE_EXT4);
}
END_TEST

/* ext2 has no journal, so none can lie elsewhere. */
START_TEST(ext2_is_ext4) {
	static const struct field fields[] = { { EXT4 + 0x5c, 4, 0x38 },
					       { EXT4 + 0xe0, 4, 0 } };

	build(FSTYPE_EXT4);
	put(fields, ARRAY_SIZE(fields));
	check_head(0, NULL, FSTYPE_EXT4);
}
END_TEST

/* The first and the last block size of each, with an image of one block or none. */
static const struct {
	enum fstype type;
	struct field fields[3];
	int r;
} block_sizes[] = {
	{ FSTYPE_EROFS, { { 1036, 1, 9 }, { 1060, 4, 1 } }, 0 },
	{ FSTYPE_EROFS, { { 1036, 1, 16 }, { 1060, 4, 1 } }, 0 },
	{ FSTYPE_EROFS, { { 1036, 1, 17 }, { 1060, 4, 1 } }, -EBADMSG },
	{ FSTYPE_SQUASHFS, { { 22, 2, 11 }, { 12, 4, 1 << 11 } }, -EBADMSG },
	{ FSTYPE_SQUASHFS, { { 22, 2, 12 }, { 12, 4, 1 << 12 } }, 0 },
	{ FSTYPE_SQUASHFS, { { 22, 2, 20 }, { 12, 4, 1 << 20 } }, 0 },
	{ FSTYPE_SQUASHFS, { { 22, 2, 21 }, { 12, 4, 1 << 21 } }, -EBADMSG },
	{ FSTYPE_EXT4, { { EXT4 + 0x18, 4, 0 }, { EXT4 + 4, 4, 1 } }, 0 },
	{ FSTYPE_EXT4, { { EXT4 + 0x18, 4, 6 }, { EXT4 + 4, 4, 1 } }, 0 },
	{ FSTYPE_EXT4, { { EXT4 + 0x18, 4, 7 }, { EXT4 + 4, 4, 1 } }, -ENODATA },
};

START_TEST(block_size_has_limits) {
	enum fstype t = FSTYPE_NONE;
	const char *why = NULL;

	build(block_sizes[_i].type);
	put(block_sizes[_i].fields, 3);
	ck_assert_int_eq(fstype_probe(head, sizeof(head), SIZE, &t, &why),
			 block_sizes[_i].r);
}
END_TEST

static const struct {
	size_t offset;
	const char *bytes;
	size_t len;
	const char *why;
} unsupported[] = {
	{ 0, "sqsh", 4, "big-endian squashfs is not supported" },
	{ 0, "XFSB", 4, "xfs is not supported" },
	{ 1024, "\x10\x20\xf5\xf2", 4, "f2fs is not supported" },
	{ 0x36, "FAT12   ", 8, "vfat is not supported" },
	{ 0x36, "FAT16   ", 8, "vfat is not supported" },
	{ 0x52, "FAT32   ", 8, "vfat is not supported" },
	{ 3, "EXFAT   ", 8, "exfat is not supported" },
	{ 3, "NTFS    ", 8, "ntfs is not supported" },
	{ 0x8001, "CD001", 5, "iso9660 is not supported" },
	{ 0x8001, "BEA01", 5, "udf is not supported" },
	{ 0, "\x45\x3d\xcd\x28", 4, "cramfs is not supported" },
	{ 0, "-rom1fs-", 8, "romfs is not supported" },
	{ 0, "LUKS\xba\xbe\0\1", 8, "LUKS is not supported" },
	{ 0, "LUKS\xba\xbe\0\2", 8, "LUKS is not supported" },
	{ 0x4000, "SKUL\xba\xbe\0\2", 8, "LUKS is not supported" },
	{ 3, "-FVE-FS-", 8, "BitLocker is not supported" },
	{ 0, "verity\0\0", 8, "a dm-verity hash tree is no file system" },
	{ 0, "integrt\0", 8, "dm-integrity is not supported" },
	{ 512, "LABELONE", 8, "LVM2 is not supported" },
	{ 4086, "SWAPSPACE2", 10, "swap space is no file system" },
	{ 65526, "SWAPSPACE2", 10, "swap space is no file system" },
};

/* dissect.16 */
START_TEST(unsupported_is_named) {
	memset(head, 0xff, sizeof(head));
	memcpy(head + unsupported[_i].offset, unsupported[_i].bytes, unsupported[_i].len);
	check_head(-EMEDIUMTYPE, unsupported[_i].why, FSTYPE_NONE);
}
END_TEST

/* dissect.17: with each of the supported ones, except where both need the same bytes. */
START_TEST(polyglot_with_unsupported_is_refused) {
	for (int t = FSTYPE_NONE + 1; t < FSTYPE_COUNT; t++) {
		size_t at = unsupported[_i].offset, magic = sound[t][0].offset;

		if (at < magic + sound[t][0].width && magic < at + unsupported[_i].len)
			continue;
		build((enum fstype)t);
		memcpy(head + at, unsupported[_i].bytes, unsupported[_i].len);
		check_head(-ENOTUNIQ, "more than one file system at once", FSTYPE_NONE);
	}
}
END_TEST

START_TEST(polyglot_is_refused) {
	for (int t = FSTYPE_NONE + 1; t < FSTYPE_COUNT; t++) {
		build((enum fstype)_i);
		put(sound[t], 1);
		if (t == _i)
			check_head(0, NULL, (enum fstype)_i);
		else
			check_head(-ENOTUNIQ, "more than one file system at once",
				   FSTYPE_NONE);
	}
}
END_TEST

/* dissect.17: ext4's two bytes alone, in another file system's data */
START_TEST(chance_is_no_polyglot) {
	build(FSTYPE_SQUASHFS);
	put_le(head + EXT4 + 0x38, 2, 0xef53);
	put_le(head + EXT4 + 0x18, 4, 0x12345678);
	check_head(0, NULL, FSTYPE_SQUASHFS);
}
END_TEST

START_TEST(empty_is_nothing) {
	enum fstype t = FSTYPE_EROFS;
	const char *why = NULL;

	build(FSTYPE_NONE);
	check_head(-ENODATA, "no known file system", FSTYPE_NONE);
	ck_assert_int_eq(fstype_probe(head, 0, 0, &t, &why), -ENODATA);
	memcpy(head + 512, "EFI PART", 8);
	put_le(head + 510, 2, 0xaa55);
	check_head(-ENODATA, "no known file system", FSTYPE_NONE);
}
END_TEST

/* Where each superblock ends. */
static const size_t ends[FSTYPE_COUNT] = { 0, 1152, 96, 2048, BTRFS + 4096 };

/* Nothing behind the superblock is asked for, nor behind the magic number. */
START_TEST(least_is_enough) {
	enum fstype t = FSTYPE_NONE;
	const char *why = NULL;

	build((enum fstype)_i);
	ck_assert_int_eq(fstype_probe(head, ends[_i], SIZE, &t, &why), 0);
	ck_assert_int_eq(t, _i);
	build(FSTYPE_NONE);
	memcpy(head + 0x8001, "CD001", 5);
	ck_assert_int_eq(fstype_probe(head, 0x8006, SIZE, &t, &why), -EMEDIUMTYPE);
	ck_assert_int_eq(fstype_probe(head, 0x8005, SIZE, &t, &why), -ENODATA);
}
END_TEST

/* Every shorter head, in memory of just that length, ends without success before the superblock does. */
START_TEST(truncation_is_refused) {
	build((enum fstype)_i);
	for (size_t len = 0; len < ends[_i]; len += len < 2048 ? 1 : 61) {
		_cleanup_free_ uint8_t *copy = malloc(len);
		enum fstype t = FSTYPE_NONE;
		const char *why = NULL;
		int r;

		memcpy(copy, head, len);
		r = fstype_probe(copy, len, SIZE, &t, &why);
		ck_assert(r == -ENODATA || r == -EBADMSG);
		ck_assert_pstr_eq(why, r == -ENODATA ? "no known file system"
						     : "the superblock is cut off");
		ck_assert_int_eq(fstype_probe(head, sizeof(head), len, &t, &why), r);
	}
}
END_TEST

START_TEST(names) {
	static const char *const expected[FSTYPE_COUNT] = { NULL, "erofs", "squashfs",
							    "ext4", "btrfs" };

	ck_assert_pstr_eq(fstype_name((enum fstype)_i), expected[_i]);
}
END_TEST

int main(void) {
	Suite *s = suite_create("fstype");
	TCase *t = tcase_create("fstype");

	tcase_add_loop_test(t, sound_is_found, 1, FSTYPE_COUNT);
	tcase_add_loop_test(t, mutation, 0, ARRAY_SIZE(mutations));
	tcase_add_loop_test(t, block_size_has_limits, 0, ARRAY_SIZE(block_sizes));
	tcase_add_test(t, ext4_without_64bit);
	tcase_add_test(t, ext2_is_ext4);
	tcase_add_loop_test(t, unsupported_is_named, 0, ARRAY_SIZE(unsupported));
	tcase_add_loop_test(t, polyglot_with_unsupported_is_refused, 0,
			    ARRAY_SIZE(unsupported));
	tcase_add_loop_test(t, polyglot_is_refused, 1, FSTYPE_COUNT);
	tcase_add_test(t, chance_is_no_polyglot);
	tcase_add_test(t, empty_is_nothing);
	tcase_add_loop_test(t, least_is_enough, 1, FSTYPE_COUNT);
	tcase_add_loop_test(t, truncation_is_refused, 1, FSTYPE_COUNT);
	tcase_add_loop_test(t, names, 0, FSTYPE_COUNT);
	suite_add_tcase(s, t);
	return unit_run(s);
}

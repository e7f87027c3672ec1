/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which file system a run of blocks holds: one row per format, then the supported ones' checks. */

#include <string.h>

#include "bytes.h"
#include "fstype.h"

#define EROFS_SUPER 1024
#define EROFS_INCOMPAT_DEVICE_TABLE 0x8

#define EXT4_SUPER 1024
#define EXT4_COMPAT_HAS_JOURNAL 0x4
#define EXT4_INCOMPAT_RECOVER 0x4
#define EXT4_INCOMPAT_JOURNAL_DEV 0x8
#define EXT4_INCOMPAT_64BIT 0x80
#define EXT4_INCOMPAT_CASEFOLD 0x20000
#define EXT4_LOG_BLOCK_MAX 6 /* 64 KiB, above 1 KiB << 0 */

#define BTRFS_SUPER 0x10000

/* The blocks as far as they are known. Borrowed; `len` is never above `size`. */
struct blocks {
	const uint8_t *head;
	size_t len;
	uint64_t size;
};

static int refuse(const char **ret_why, int error, const char *why) {
	*ret_why = why;
	return error;
}

struct magic {
	uint32_t offset;
	const char *bytes;
	size_t len; /* 0 after the last */
};

#define MAGIC(at, text) \
	{ (at), (text), sizeof(text) - 1 }

/* dissect.15, dissect.16. Where a format has several magic numbers, any is enough. */
static const struct format {
	enum fstype type;	 /* FSTYPE_NONE: known, but not supported */
	const char *unsupported; /* the sentence that says so */
	struct magic magics[6];
} formats[] = {
	{ FSTYPE_EROFS, NULL, { MAGIC(1024, "\xe2\xe1\xf5\xe0") } },
	{ FSTYPE_SQUASHFS, NULL, { MAGIC(0, "hsqs") } },
	{ FSTYPE_EXT4, NULL, { MAGIC(0x438, "\x53\xef") } },
	{ FSTYPE_BTRFS, NULL, { MAGIC(0x10040, "_BHRfS_M") } },
	{ FSTYPE_NONE, "big-endian squashfs is not supported", { MAGIC(0, "sqsh") } },
	{ FSTYPE_NONE, "xfs is not supported", { MAGIC(0, "XFSB") } },
	{ FSTYPE_NONE, "f2fs is not supported", { MAGIC(1024, "\x10\x20\xf5\xf2") } },
	{ FSTYPE_NONE,
	  "vfat is not supported",
	  { MAGIC(54, "FAT12   "), MAGIC(54, "FAT16   "), MAGIC(54, "FAT     "),
	    MAGIC(54, "MSDOS"), MAGIC(82, "FAT32   ") } },
	{ FSTYPE_NONE, "exfat is not supported", { MAGIC(3, "EXFAT   ") } },
	{ FSTYPE_NONE, "ntfs is not supported", { MAGIC(3, "NTFS    ") } },
	{ FSTYPE_NONE, "iso9660 is not supported", { MAGIC(0x8001, "CD001") } },
	{ FSTYPE_NONE, "udf is not supported", { MAGIC(0x8001, "BEA01") } },
	{ FSTYPE_NONE,
	  "cramfs is not supported",
	  { MAGIC(0, "\x45\x3d\xcd\x28"), MAGIC(0, "\x28\xcd\x3d\x45") } },
	{ FSTYPE_NONE, "romfs is not supported", { MAGIC(0, "-rom1fs-") } },
	{ FSTYPE_NONE,
	  "LUKS is not supported",
	  { MAGIC(0, "LUKS\xba\xbe"), MAGIC(0x4000, "SKUL\xba\xbe") } },
	{ FSTYPE_NONE, "BitLocker is not supported", { MAGIC(3, "-FVE-FS-") } },
	{ FSTYPE_NONE,
	  "a dm-verity hash tree is no file system",
	  { MAGIC(0, "verity\0\0") } },
	{ FSTYPE_NONE, "dm-integrity is not supported", { MAGIC(0, "integrt\0") } },
	{ FSTYPE_NONE, "LVM2 is not supported", { MAGIC(512, "LABELONE") } },
	{ FSTYPE_NONE,
	  "swap space is no file system",
	  { MAGIC(4086, "SWAPSPACE2"), MAGIC(16374, "SWAPSPACE2"),
	    MAGIC(65526, "SWAPSPACE2") } },
};

static bool has_magic(const struct blocks *b, const struct magic *m) {
	return b->len >= m->offset + m->len &&
	       memcmp(b->head + m->offset, m->bytes, m->len) == 0;
}

/* dissect.17: ext4's two bytes also turn up by chance in other file systems' data. */
static bool is_plausible(const struct blocks *b, enum fstype t) {
	if (t != FSTYPE_EXT4)
		return true;
	return bytes_le32(b->head + EXT4_SUPER + 0x18) <= EXT4_LOG_BLOCK_MAX;
}

static bool is_format(const struct blocks *b, const struct format *f) {
	for (size_t i = 0; i < ARRAY_SIZE(f->magics) && f->magics[i].len > 0; i++)
		if (has_magic(b, &f->magics[i]))
			return is_plausible(b, f->type);
	return false;
}

static bool erofs_block_possible(uint8_t bits) {
	return bits >= 9 && bits <= 16;
}

/* dissect.18: with a device table the kernel opens the paths that the image names. */
static int check_erofs(const struct blocks *b, const char **ret_why) {
	const uint8_t *super = b->head + EROFS_SUPER;
	uint8_t bits = super[12];

	if (!erofs_block_possible(bits))
		return refuse(ret_why, -EBADMSG, "erofs: impossible block size");
	if (bytes_le32(super + 36) > b->size >> bits)
		return refuse(ret_why, -EBADMSG, "erofs: the image is truncated");
	if (bytes_le32(super + 80) & EROFS_INCOMPAT_DEVICE_TABLE &&
	    bytes_le16(super + 86) > 0)
		return refuse(ret_why, -EBADMSG, "erofs: the data lies on other devices");
	return 0;
}

/* dissect.19 */
static int check_squashfs(const struct blocks *b, const char **ret_why) {
	uint16_t log = bytes_le16(b->head + 22);

	if (bytes_le16(b->head + 28) != 4)
		return refuse(ret_why, -EBADMSG, "squashfs: major version is not 4");
	if (log < 12 || log > 20 || bytes_le32(b->head + 12) != UINT32_C(1) << log)
		return refuse(ret_why, -EBADMSG, "squashfs: impossible block size");
	if (bytes_le64(b->head + 40) > b->size)
		return refuse(ret_why, -EBADMSG, "squashfs: the image is truncated");
	return 0;
}

static uint64_t ext4_blocks(const uint8_t *super) {
	uint64_t low = bytes_le32(super + 4);

	if (!(bytes_le32(super + 0x60) & EXT4_INCOMPAT_64BIT))
		return low;
	return low | (uint64_t)bytes_le32(super + 0x150) << 32;
}

/* A journal without an inode lies on the device whose number the superblock names. */
static bool ext4_needs_device(const uint8_t *super) {
	if (bytes_le32(super + 0x60) & EXT4_INCOMPAT_JOURNAL_DEV)
		return true;
	return bytes_le32(super + 0x5c) & EXT4_COMPAT_HAS_JOURNAL &&
	       bytes_le32(super + 0xe0) == 0;
}

/* dissect.20; is_plausible() has bounded the block size. */
static int check_ext4(const struct blocks *b, const char **ret_why) {
	const uint8_t *super = b->head + EXT4_SUPER;
	uint32_t incompat = bytes_le32(super + 0x60);

	if (ext4_needs_device(super))
		return refuse(ret_why, -EBADMSG, "ext4: the journal lies elsewhere");
	if (incompat & EXT4_INCOMPAT_CASEFOLD)
		return refuse(ret_why, -EBADMSG, "ext4: case folding cannot be merged");
	if (ext4_blocks(super) > b->size >> (10 + bytes_le32(super + 0x18)))
		return refuse(ret_why, -EBADMSG, "ext4: the image is truncated");
	if (incompat & EXT4_INCOMPAT_RECOVER)
		return refuse(ret_why, -EUCLEAN, "ext4: the journal was not replayed");
	return 0;
}

/* dissect.21 */
static int check_btrfs(const struct blocks *b, const char **ret_why) {
	const uint8_t *super = b->head + BTRFS_SUPER;

	if (bytes_le64(super + 0x30) != BTRFS_SUPER)
		return refuse(ret_why, -EBADMSG, "btrfs: the superblock is misplaced");
	if (bytes_le64(super + 0x88) != 1)
		return refuse(ret_why, -EBADMSG, "btrfs: the data lies on other devices");
	if (bytes_le64(super + 0x70) > b->size)
		return refuse(ret_why, -EBADMSG, "btrfs: the image is truncated");
	if (bytes_le64(super + 0x60) != 0)
		return refuse(ret_why, -EUCLEAN, "btrfs: the log was not replayed");
	return 0;
}

static const struct {
	const char *name;
	size_t end; /* of the superblock, from the start of the file system */
	int (*check)(const struct blocks *b, const char **ret_why);
} types[FSTYPE_COUNT] = {
	[FSTYPE_EROFS] = { "erofs", EROFS_SUPER + 128, check_erofs },
	[FSTYPE_SQUASHFS] = { "squashfs", 96, check_squashfs },
	[FSTYPE_EXT4] = { "ext4", EXT4_SUPER + 1024, check_ext4 },
	[FSTYPE_BTRFS] = { "btrfs", BTRFS_SUPER + 4096, check_btrfs },
};

static int check_type(const struct blocks *b, enum fstype t, const char **ret_why) {
	if (b->len < types[t].end)
		return refuse(ret_why, -EBADMSG, "the superblock is cut off");
	return types[t].check(b, ret_why);
}

int fstype_probe(const void *head, size_t len, uint64_t size, enum fstype *ret,
		 const char **ret_why) {
	struct blocks b = { .head = head,
			    .len = len < size ? len : (size_t)size,
			    .size = size };
	const struct format *found = NULL;
	int r;

	for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
		if (!is_format(&b, &formats[i]))
			continue;
		if (found)
			return refuse(ret_why, -ENOTUNIQ,
				      "more than one file system at once");
		found = &formats[i];
	}
	if (!found)
		return refuse(ret_why, -ENODATA, "no known file system");
	if (found->type == FSTYPE_NONE)
		return refuse(ret_why, -EMEDIUMTYPE, found->unsupported);
	r = check_type(&b, found->type, ret_why);
	if (r < 0)
		return r;
	*ret = found->type;
	return 0;
}

const char *fstype_name(enum fstype t) {
	return types[t].name;
}

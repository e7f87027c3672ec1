/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The reader of verity superblocks: each field is bounded before it is used. */
#include "superblock.h"

#include <string.h>

#include "../merge/bytes.h"

#define MAGIC "verity\0\0"
#define ALGORITHM_MAX 32

/* verity.2 */
static const struct {
	const char *name;
	size_t digest_size;
} algorithms[] = {
	{ "sha256", 32 },
	{ "sha384", 48 },
	{ "sha512", 64 },
};

static int refuse(const char **ret_why, const char *why) {
	*ret_why = why;
	return -EBADMSG;
}

/* verity.1 */
static int check_format(const uint8_t *p, const char **ret_why) {
	if (memcmp(p, MAGIC, 8) != 0)
		return refuse(ret_why, "there is no verity superblock");
	if (bytes_le32(p + 8) != 1)
		return refuse(ret_why, "unknown version of the verity superblock");
	if (bytes_le32(p + 12) != 1)
		return refuse(ret_why, "unknown hash type of the verity superblock");
	return 0;
}

static int read_algorithm(const uint8_t *p, struct superblock *sb, const char **ret_why) {
	const char *name = (const char *)p + 32;

	for (size_t i = 0; i < ARRAY_SIZE(algorithms); i++)
		if (strncmp(name, algorithms[i].name, ALGORITHM_MAX) == 0) {
			sb->algorithm = algorithms[i].name;
			sb->digest_size = algorithms[i].digest_size;
			return 0;
		}
	return refuse(ret_why,
		      "the hash algorithm of the verity superblock is not allowed");
}

/* verity.3 */
static bool is_block_size(uint32_t size) {
	return size >= 512 && size <= SUPERBLOCK_BLOCK_MAX && (size & (size - 1)) == 0;
}

static int read_sizes(const uint8_t *p, struct superblock *sb, const char **ret_why) {
	sb->data_block_size = bytes_le32(p + 64);
	sb->hash_block_size = bytes_le32(p + 68);
	if (!is_block_size(sb->data_block_size))
		return refuse(ret_why, "wrong data block size of the verity superblock");
	if (!is_block_size(sb->hash_block_size))
		return refuse(ret_why, "wrong hash block size of the verity superblock");
	return 0;
}

/* verity.4 */
static int read_salt(const uint8_t *p, struct superblock *sb, const char **ret_why) {
	sb->salt_size = bytes_le16(p + 80);
	if (sb->salt_size > SUPERBLOCK_SALT_MAX)
		return refuse(ret_why, "the salt of the verity superblock is too long");
	memcpy(sb->salt, p + 88, sb->salt_size);
	return 0;
}

/* verity.5: the number of blocks is bounded by real bytes first, so that no product can overflow. */
static int read_extent(const uint8_t *p, uint64_t data_size, uint64_t hash_size,
		       struct superblock *sb, const char **ret_why) {
	sb->data_blocks = bytes_le64(p + 72);
	if (sb->data_blocks == 0)
		return refuse(ret_why, "the verity superblock covers no data");
	if (sb->data_blocks > data_size / sb->data_block_size)
		return refuse(ret_why, "the verity superblock covers more than the data");
	sb->geometry = geometry_of(sb->data_blocks, sb->hash_block_size, sb->digest_size);
	if (sb->geometry.end > hash_size / sb->hash_block_size)
		return refuse(ret_why, "the hash tree is cut off");
	return 0;
}

int superblock_parse(const uint8_t bytes[static SUPERBLOCK_SIZE], uint64_t data_size,
		     uint64_t hash_size, struct superblock *ret, const char **ret_why) {
	struct superblock sb = {};
	int r;

	r = check_format(bytes, ret_why);
	if (r == 0)
		r = read_algorithm(bytes, &sb, ret_why);
	if (r == 0)
		r = read_sizes(bytes, &sb, ret_why);
	if (r == 0)
		r = read_salt(bytes, &sb, ret_why);
	if (r == 0)
		r = read_extent(bytes, data_size, hash_size, &sb, ret_why);
	if (r < 0)
		return r;
	memcpy(sb.uuid, bytes + 16, sizeof(sb.uuid));
	*ret = sb;
	return 0;
}

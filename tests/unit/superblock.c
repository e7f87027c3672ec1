/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A sound superblock is read; each lie in it is refused with its sentence. */

#include <check.h>
#include <string.h>

#include "format.h"
#include "unit.h"
#include "verity/superblock.h"

#define DATA_SIZE (200 * UINT64_C(4096))
#define HASH_SIZE (4 * UINT64_C(4096)) /* exactly: superblock, root, two of level 0 */

static const struct format sound = {
	.algorithm = "sha256",
	.data_block_size = 4096,
	.hash_block_size = 4096,
	.data_blocks = 200,
	.salt_size = 4,
	.salt = "salt",
};

#define MAGIC "there is no verity superblock"
#define UNKNOWN_VERSION "unknown version of the verity superblock"
#define TYPE "unknown hash type of the verity superblock"
#define ALGORITHM "the hash algorithm of the verity superblock is not allowed"
#define DATA_BLOCK "wrong data block size of the verity superblock"
#define HASH_BLOCK "wrong hash block size of the verity superblock"
#define SALT "the salt of the verity superblock is too long"
#define NO_DATA "the verity superblock covers no data"
#define BEYOND "the verity superblock covers more than the data"
#define TREE "the hash tree is cut off"

/* threats.md row 11 */
static const struct {
	size_t offset, width;
	uint64_t value;
	const char *why;
} mutations[] = {
	/* verity.1 */
	{ 0, 1, 'V', MAGIC },
	{ 7, 1, 1, MAGIC },
	{ 8, 4, 0, UNKNOWN_VERSION },
	{ 8, 4, 2, UNKNOWN_VERSION },
	{ 8, 4, 0x01000001, UNKNOWN_VERSION },
	{ 12, 4, 0, TYPE },
	{ 12, 4, 2, TYPE },
	/* verity.2 */
	{ 32, 8, 0x31616873, ALGORITHM }, /* sha1 */
	{ 32, 1, 'S', ALGORITHM },
	{ 38, 1, '7', ALGORITHM },
	{ 32, 1, 0, ALGORITHM },
	/* verity.3 */
	{ 64, 4, 0, DATA_BLOCK },
	{ 64, 4, 3, DATA_BLOCK },
	{ 64, 4, 256, DATA_BLOCK },
	{ 64, 4, 4095, DATA_BLOCK },
	{ 64, 4, 8192, DATA_BLOCK },
	{ 64, 4, UINT32_C(1) << 31, DATA_BLOCK },
	{ 68, 4, 0, HASH_BLOCK },
	{ 68, 4, 3, HASH_BLOCK },
	{ 68, 4, 256, HASH_BLOCK },
	{ 68, 4, 8192, HASH_BLOCK },
	{ 68, 4, UINT32_C(1) << 31, HASH_BLOCK },
	/* verity.4 */
	{ 80, 2, 257, SALT },
	{ 80, 2, 65535, SALT },
	/* verity.5 */
	{ 72, 8, 0, NO_DATA },
	{ 72, 8, 201, BEYOND },
	{ 72, 8, UINT64_C(1) << 63, BEYOND },
	{ 72, 8, UINT64_MAX, BEYOND },
	{ 64, 4, 512, NULL }, /* 200 blocks of 512 bytes are within the data */
	{ 68, 4, 512, NULL }, /* 13 + 1 blocks and the superblock in 16 KiB */
	{ 80, 2, 256, NULL },
	{ 80, 2, 0, NULL },
	{ 72, 8, 1, NULL },
	{ 256, 8, UINT64_MAX, NULL },
};

START_TEST(mutation_is_seen) {
	uint8_t bytes[SUPERBLOCK_SIZE];
	struct superblock sb = { .digest_size = 7 };
	const char *why = NULL;
	int r;

	format_superblock(&sound, bytes);
	put_le(bytes + mutations[_i].offset, mutations[_i].width, mutations[_i].value);
	r = superblock_parse(bytes, DATA_SIZE, HASH_SIZE, &sb, &why);
	ck_assert_int_eq(r, mutations[_i].why ? -EBADMSG : 0);
	ck_assert_msg(unit_same(why, mutations[_i].why), "%s", why);
	ck_assert_uint_eq(sb.digest_size, r < 0 ? 7 : 32);
}
END_TEST

START_TEST(whole_name_counts) {
	uint8_t bytes[SUPERBLOCK_SIZE];
	struct superblock sb;
	const char *why = NULL;

	format_superblock(&sound, bytes);
	memset(bytes + 38, 'x', 32 - 6);
	ck_assert_int_eq(superblock_parse(bytes, DATA_SIZE, HASH_SIZE, &sb, &why),
			 -EBADMSG);
	ck_assert_str_eq(why, ALGORITHM);
}
END_TEST

/* verity.5: one byte less of either area is not enough. */
START_TEST(areas_are_bounds) {
	uint8_t bytes[SUPERBLOCK_SIZE];
	struct superblock sb;
	const char *why = NULL;

	format_superblock(&sound, bytes);
	ck_assert_int_eq(superblock_parse(bytes, DATA_SIZE, HASH_SIZE, &sb, &why), 0);
	ck_assert_int_eq(superblock_parse(bytes, DATA_SIZE - 1, HASH_SIZE, &sb, &why),
			 -EBADMSG);
	ck_assert_str_eq(why, BEYOND);
	ck_assert_int_eq(superblock_parse(bytes, DATA_SIZE, HASH_SIZE - 1, &sb, &why),
			 -EBADMSG);
	ck_assert_str_eq(why, TREE);
	ck_assert_int_eq(superblock_parse(bytes, UINT64_MAX, 0, &sb, &why), -EBADMSG);
	ck_assert_str_eq(why, TREE);
}
END_TEST

START_TEST(fields_are_read) {
	static const struct {
		const char *name;
		size_t size;
	} algorithms[] = { { "sha256", 32 }, { "sha384", 48 }, { "sha512", 64 } };
	uint8_t bytes[SUPERBLOCK_SIZE], uuid[16];
	struct format f = sound;
	struct superblock sb;
	const char *why;

	f.algorithm = algorithms[_i].name;
	f.data_block_size = 1024;
	f.hash_block_size = 2048;
	format_superblock(&f, bytes);
	format_fill(uuid, sizeof(uuid), 77);
	ck_assert_int_eq(superblock_parse(bytes, UINT64_MAX, UINT64_MAX, &sb, &why), 0);
	ck_assert_str_eq(sb.algorithm, f.algorithm);
	ck_assert_uint_eq(sb.digest_size, algorithms[_i].size);
	ck_assert_uint_eq(sb.data_block_size, 1024);
	ck_assert_uint_eq(sb.hash_block_size, 2048);
	ck_assert_uint_eq(sb.data_blocks, 200);
	ck_assert_uint_eq(sb.salt_size, 4);
	ck_assert_mem_eq(sb.salt, "salt", 4);
	ck_assert_mem_eq(sb.uuid, uuid, 16);
	ck_assert_uint_eq(sb.geometry.levels, 2);
}
END_TEST

int main(void) {
	Suite *s = suite_create("superblock");
	TCase *t = tcase_create("superblock");

	tcase_add_loop_test(t, mutation_is_seen, 0, ARRAY_SIZE(mutations));
	tcase_add_test(t, whole_name_counts);
	tcase_add_test(t, areas_are_bounds);
	tcase_add_loop_test(t, fields_are_read, 0, 3);
	suite_add_tcase(s, t);
	return unit_run(s);
}

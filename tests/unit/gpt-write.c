/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tables that are written are read again by our own reader, and chosen from (specs: pack.8, dissect.*). */

#include <check.h>
#include <string.h>

#include "image.h"
#include "merge/version.h"
#include "unit.h"
#include "verity/gpt-write.h"

#define MIB ((size_t)1024 * 1024)

static uint8_t image[4 * MIB];

static void fill(uint8_t *p, size_t len, uint8_t start) {
	for (size_t i = 0; i < len; i++)
		p[i] = (uint8_t)(start + 11 * i);
}

/* `n` partitions of the roles in their order, of one to three blocks. */
static struct gpt make(struct gpt_partition *partitions, size_t n,
		       const char *architecture) {
	struct gpt g = { .partitions = partitions, .n_partitions = n };

	fill(g.disk, 16, 3);
	for (size_t i = 0; i < n; i++) {
		struct gpt_partition *p = &partitions[i];

		*p = (struct gpt_partition){ .size = (i % 3 + 1) * GPT_WRITE_GRAIN,
					     .attributes = UINT64_C(1) << 60 | i };
		ck_assert(gpt_type_of(architecture, GPT_ROOT, (enum gpt_role)(i % 3),
				      p->type));
		fill(p->uuid, 16, (uint8_t)(i + 1));
		snprintf(p->label, sizeof(p->label), "label-%zu", i);
	}
	return g;
}

/* The whole image in memory. */
static void write_image(const struct gpt *g, uint64_t size) {
	memset(image, 0xaa, sizeof(image));
	ck_assert_uint_le(size, sizeof(image));
	gpt_write(g, size, image, image + size - GPT_WRITE_TAIL);
}

static const size_t counts[] = { 1, 2, 3, 128 };

START_TEST(what_is_written_is_read) {
	struct gpt_partition partitions[128];
	struct gpt g = make(partitions, counts[_i], "arm64"), read;
	uint64_t size = gpt_arrange(&g);
	const char *why = "";

	write_image(&g, size);
	ck_assert_msg(gpt_parse(image, size < MIB ? size : MIB, size, &read, &why) == 0,
		      "%s", why);
	ck_assert_uint_eq(read.sector_size, 512);
	ck_assert_mem_eq(read.disk, g.disk, 16);
	ck_assert_uint_eq(read.n_partitions, g.n_partitions);
	for (size_t i = 0; i < g.n_partitions; i++)
		ck_assert_mem_eq(&read.partitions[i], &g.partitions[i],
				 offsetof(struct gpt_partition, label));
	for (size_t i = 0; i < g.n_partitions; i++)
		ck_assert_str_eq(read.partitions[i].label, g.partitions[i].label);
	gpt_done(&read);
}
END_TEST

START_TEST(what_is_written_is_chosen) {
	struct gpt_partition partitions[3];
	struct gpt g = make(partitions, 3, "s390x"), read;
	uint64_t size = gpt_arrange(&g);
	struct gpt_choice choice;
	const char *why = "";

	write_image(&g, size);
	ck_assert_int_eq(gpt_parse(image, size, size, &read, &why), 0);
	ck_assert_int_eq(gpt_choose(&read, "s390x", NULL, version_compare, &choice, &why),
			 0);
	for (int role = 0; role < GPT_ROLE_COUNT; role++)
		ck_assert_int_eq(choice.partition[GPT_ROOT][role], role);
	ck_assert_int_eq(gpt_choose(&read, "x86-64", "x86", version_compare, &choice,
				    &why),
			 -ENOEXEC);
	gpt_done(&read);
}
END_TEST

/* UEFI 5.3.1: the backup is the same but for the three places. */
START_TEST(backup_is_the_same) {
	struct gpt_partition partitions[3];
	struct gpt g = make(partitions, 3, "x86-64");
	uint64_t size = gpt_arrange(&g), last = size / 512 - 1;
	uint8_t *primary = image + 512, *backup = image + last * 512;

	write_image(&g, size);
	ck_assert_mem_eq(image + (size_t)2 * 512, image + size - GPT_WRITE_TAIL,
			 (size_t)128 * 128);
	ck_assert_uint_eq(bytes_le64(primary + 24), 1);
	ck_assert_uint_eq(bytes_le64(primary + 32), last);
	ck_assert_uint_eq(bytes_le64(backup + 24), last);
	ck_assert_uint_eq(bytes_le64(backup + 32), 1);
	ck_assert_uint_eq(bytes_le64(backup + 72) * 512, size - GPT_WRITE_TAIL);
	ck_assert_mem_eq(primary + 40, backup + 40, 32);
	ck_assert_mem_eq(primary + 80, backup + 80, 12);
	put_le(backup + 16, 4, 0);
	ck_assert_uint_eq(bytes_le32(primary + 88),
			  image_crc32(image + (size_t)2 * 512, (size_t)128 * 128));
}
END_TEST

START_TEST(places_are_whole_blocks) {
	struct gpt_partition partitions[3];
	struct gpt g = make(partitions, 3, "x86-64");
	uint64_t size = gpt_arrange(&g), end = GPT_WRITE_HEAD;

	for (size_t i = 0; i < 3; i++) {
		ck_assert_uint_eq(partitions[i].offset % GPT_WRITE_GRAIN, 0);
		ck_assert_uint_ge(partitions[i].offset, end);
		end = partitions[i].offset + partitions[i].size;
	}
	ck_assert_uint_eq(partitions[0].offset, 20480);
	ck_assert_uint_eq(partitions[1].offset, partitions[0].offset + partitions[0].size);
	ck_assert_uint_eq(size % GPT_WRITE_GRAIN, 0);
	ck_assert_uint_ge(size, end + GPT_WRITE_TAIL);
}
END_TEST

/* UEFI 5.2.3 */
START_TEST(mbr_protects) {
	static const uint8_t entry[] = { 0, 0, 2, 0, 0xee, 0xff, 0xff, 0xff, 1, 0, 0, 0 };
	struct gpt_partition partitions[1];
	struct gpt g = make(partitions, 1, "x86-64");
	uint64_t size = gpt_arrange(&g);

	write_image(&g, size);
	ck_assert_mem_eq(image + 446, entry, sizeof(entry));
	ck_assert_uint_eq(bytes_le32(image + 458), size / 512 - 1);
	ck_assert_uint_eq(bytes_le16(image + 510), 0xaa55);
	gpt_write(&g, UINT64_C(1) << 42, image, image + MIB);
	ck_assert_uint_eq(bytes_le32(image + 458), UINT32_MAX);
}
END_TEST

int main(void) {
	Suite *s = suite_create("gpt-write");
	TCase *t = tcase_create("gpt-write");

	tcase_add_loop_test(t, what_is_written_is_read, 0, ARRAY_SIZE(counts));
	tcase_add_test(t, what_is_written_is_chosen);
	tcase_add_test(t, backup_is_the_same);
	tcase_add_test(t, places_are_whole_blocks);
	tcase_add_test(t, mbr_protects);
	suite_add_tcase(s, t);
	return unit_run(s);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Partition tables built in memory: the sound one is read, each mutation is refused with its sentence. */

#include <check.h>
#include <string.h>

#include "image.h"
#include "unit.h"
#include "verity/gpt.h"

#define SIZE ((size_t)1024 * 1024)
#define N_ENTRIES 8

static const uint32_t sector_sizes[] = { 512, 4096 };

static uint8_t image[SIZE];
static uint32_t ss; /* the sector size of `image` */

static uint8_t *header(void) {
	return image + ss;
}

static uint8_t *entry(size_t i) {
	return image + (size_t)2 * ss + i * 128;
}

/* Types and UUIDs are 16 times the same byte here, so that their order does not matter. */
static void put_entry(size_t i, uint8_t type, uint8_t uuid, uint64_t first,
		      uint64_t last) {
	memset(entry(i), type, 16);
	memset(entry(i) + 16, uuid, 16);
	put_le(entry(i) + 32, 8, first);
	put_le(entry(i) + 40, 8, last);
}

/* Usable sectors 64 to 200, partitions 64 to 73 (entry 0) and 74 to 83 (entry 2). */
static void build(uint32_t sector_size) {
	memset(image, 0, sizeof(image));
	ss = sector_size;
	memcpy(header(), "EFI PART", 8);
	put_le(header() + 8, 4, 0x00010000);
	put_le(header() + 12, 4, 92);
	put_le(header() + 24, 8, 1);
	put_le(header() + 32, 8, SIZE / ss - 1);
	put_le(header() + 40, 8, 64);
	put_le(header() + 48, 8, 200);
	put_le(header() + 72, 8, 2);
	put_le(header() + 80, 4, N_ENTRIES);
	put_le(header() + 84, 4, 128);
	put_entry(0, 0x11, 0x22, 64, 73);
	put_entry(2, 0x33, 0x44, 74, 83);
	gpt_seal(image, SIZE, ss);
}

static int parse(struct gpt *ret, const char **ret_why) {
	return gpt_parse(image, SIZE, SIZE, ret, ret_why);
}

static void check_refused(const char *expected) {
	const char *why = "nothing";
	struct gpt g = { .sector_size = 7 };

	ck_assert_int_eq(parse(&g, &why), -EBADMSG);
	ck_assert_str_eq(why, expected);
	ck_assert_uint_eq(g.sector_size, 7);
	ck_assert(gpt_is_present(image, SIZE));
}

static void check_accepted(void) {
	const char *why = NULL;
	struct gpt g;

	ck_assert_msg(parse(&g, &why) == 0, "refused: %s", why);
	gpt_done(&g);
}

enum part { HEADER, ENTRY };

#define REVISION "unknown revision of the partition table"
#define HEADER_SIZE "wrong header size of the partition table"
#define HEADER_CRC "wrong checksum of the partition table's header"
#define PLACE "the partition table's header is misplaced"
#define ENTRY_SIZE "partition entries are not of 128 bytes"
#define COUNT "no or too many partition entries"
#define OVERLAPS_HEADER "the partition entries overlap the header"
#define REACH "the partition entries are out of reach"
#define ENTRIES_CRC "wrong checksum of the partition entries"
#define RANGE_INVERTED "the usable range is inverted"
#define RANGE_BEYOND "the usable range ends beyond the image"
#define RANGE_OVERLAP "the usable range overlaps the partition entries"
#define INVERTED "a partition is inverted"
#define OUTSIDE "a partition lies outside of the usable range"
#define OVERLAP "two partitions overlap"

/* The second entry in use is number 2: 2 * 128 + 32 is its first sector. */
#define FIRST_0 32
#define LAST_0 40
#define FIRST_2 (2 * 128 + 32)
#define LAST_2 (2 * 128 + 40)

static const struct {
	enum part part;
	size_t offset, width;
	uint64_t value;
	bool sealed; /* the checksums are made right again */
	const char *why;
} mutations[] = {
	/* dissect.4 */
	{ HEADER, 8, 4, 0x00010001, true, REVISION },
	{ HEADER, 8, 4, 0, true, REVISION },
	{ HEADER, 12, 4, 91, true, HEADER_SIZE },
	{ HEADER, 12, 4, 0, true, HEADER_SIZE },
	{ HEADER, 12, 4, 4097, true, HEADER_SIZE },
	{ HEADER, 12, 4, UINT32_MAX, true, HEADER_SIZE },
	{ HEADER, 16, 4, 0, false, HEADER_CRC },
	{ HEADER, 56, 1, 1, false, HEADER_CRC },
	{ HEADER, 91, 1, 1, false, HEADER_CRC },
	{ HEADER, 24, 8, 0, true, PLACE },
	{ HEADER, 24, 8, 2, true, PLACE },
	{ HEADER, 24, 8, UINT64_C(1) << 32 | 1, true, PLACE },
	/* dissect.5 */
	{ HEADER, 84, 4, 0, true, ENTRY_SIZE },
	{ HEADER, 84, 4, 256, true, ENTRY_SIZE },
	{ HEADER, 84, 4, UINT32_MAX, true, ENTRY_SIZE },
	{ HEADER, 80, 4, 0, true, COUNT },
	{ HEADER, 80, 4, GPT_ENTRIES_MAX + 1, true, COUNT },
	{ HEADER, 80, 4, UINT32_MAX, true, COUNT },
	{ HEADER, 72, 8, 0, true, OVERLAPS_HEADER },
	{ HEADER, 72, 8, 1, true, OVERLAPS_HEADER },
	{ HEADER, 72, 8, SIZE / 512, true, REACH },
	{ HEADER, 72, 8, UINT64_C(1) << 55, true, REACH },
	{ HEADER, 72, 8, UINT64_MAX, true, REACH },
	{ HEADER, 88, 4, 0, false, HEADER_CRC },
	{ ENTRY, 48, 1, 1, false, ENTRIES_CRC },
	{ ENTRY, N_ENTRIES * 128 - 1, 1, 1, false, ENTRIES_CRC },
	/* dissect.6 */
	{ HEADER, 40, 8, 201, true, RANGE_INVERTED },
	{ HEADER, 48, 8, 63, true, RANGE_INVERTED },
	{ HEADER, 48, 8, SIZE / 512, true, RANGE_BEYOND },
	{ HEADER, 48, 8, UINT64_MAX, true, RANGE_BEYOND },
	{ HEADER, 40, 8, 0, true, RANGE_OVERLAP },
	{ HEADER, 40, 8, 2, true, RANGE_OVERLAP },
	/* dissect.7 */
	{ ENTRY, LAST_0, 8, 63, true, INVERTED },
	{ ENTRY, FIRST_0, 8, UINT64_MAX, true, INVERTED },
	{ ENTRY, FIRST_0, 8, 63, true, OUTSIDE },
	{ ENTRY, FIRST_0, 8, 2, true, OUTSIDE },
	{ ENTRY, FIRST_0, 8, 0, true, OUTSIDE },
	{ ENTRY, LAST_2, 8, 201, true, OUTSIDE },
	{ ENTRY, LAST_2, 8, UINT64_MAX, true, OUTSIDE },
	{ ENTRY, LAST_2, 8, UINT64_MAX / 512, true, OUTSIDE },
	{ ENTRY, FIRST_2, 8, 73, true, OVERLAP },
	{ ENTRY, FIRST_2, 8, 64, true, OVERLAP },
	{ ENTRY, LAST_0, 8, 74, true, OVERLAP },
	{ ENTRY, LAST_0, 8, 200, true, OVERLAP },
};

START_TEST(mutation_is_refused) {
	typeof(*mutations) *m = &mutations[_i];

	for (size_t s = 0; s < ARRAY_SIZE(sector_sizes); s++) {
		build(sector_sizes[s]);
		put_le((m->part == HEADER ? header() : entry(0)) + m->offset, m->width,
		       m->value);
		if (m->sealed)
			gpt_seal(image, SIZE, ss);
		check_refused(m->why);
	}
}
END_TEST

/* dissect.7; threats.md row 7 */
START_TEST(same_uuid_is_refused) {
	build(sector_sizes[_i]);
	put_entry(2, 0x33, 0x22, 74, 83);
	gpt_seal(image, SIZE, ss);
	check_refused("two partitions have the same UUID");
}
END_TEST

/* dissect.2 */
START_TEST(two_sector_sizes_are_refused) {
	build(sector_sizes[_i]);
	memcpy(image + (512 + 4096 - ss), "EFI PART", 8);
	gpt_seal(image, SIZE, ss);
	check_refused("partition tables for two sector sizes");
}
END_TEST

/* dissect.1: without the signature there is no table, whatever else stands there. */
START_TEST(no_signature_is_no_table) {
	const char *why = NULL;
	struct gpt g;

	build(sector_sizes[_i]);
	header()[7] = 'X';
	gpt_seal(image, SIZE, ss);
	ck_assert(!gpt_is_present(image, SIZE));
	ck_assert_int_eq(parse(&g, &why), -ENODATA);
	ck_assert_int_eq(gpt_parse(image, 0, SIZE, &g, &why), -ENODATA);
	ck_assert_int_eq(gpt_parse(image, SIZE, 0, &g, &why), -ENODATA);
}
END_TEST

/* Wherever the head ends, the answer is: no signature yet, or refused, until the table is whole. */
START_TEST(truncation_is_refused) {
	size_t whole;

	build(sector_sizes[_i]);
	whole = (size_t)2 * ss + N_ENTRIES * 128;
	for (size_t len = 0; len < whole; len++) {
		_cleanup_free_ uint8_t *head = malloc(len);
		const char *why = NULL;
		struct gpt g;
		int r;

		memcpy(head, image, len);
		r = gpt_parse(head, len, SIZE, &g, &why);
		ck_assert_int_eq(r, len < ss + 8 ? -ENODATA : -EBADMSG);
		ck_assert_int_eq(gpt_is_present(head, len), len >= ss + 8);
		if (r == -EBADMSG)
			ck_assert_str_eq(why,
					 len < (size_t)2 * ss
						 ? "the partition table's header is cut off"
						 : REACH);
	}
}
END_TEST

/* threats.md row 6: the file is shorter than its table says; its last sector counts if it is whole. */
START_TEST(truncated_image_is_refused) {
	const char *why = NULL;
	struct gpt g;

	build(sector_sizes[_i]);
	ck_assert_int_eq(gpt_parse(image, SIZE, 201 * (uint64_t)ss - 1, &g, &why),
			 -EBADMSG);
	ck_assert_str_eq(why, RANGE_BEYOND);
	ck_assert_int_eq(gpt_parse(image, SIZE, 201 * (uint64_t)ss, &g, &why), 0);
	gpt_done(&g);
}
END_TEST

/* The table may end with the head, and one sector is a range and a partition. */
START_TEST(least_is_accepted) {
	const char *why = NULL;
	struct gpt g;

	build(sector_sizes[_i]);
	put_entry(0, 0x11, 0x22, 64, 64);
	memset(entry(2), 0, 128);
	put_le(header() + 48, 8, 64);
	gpt_seal(image, SIZE, ss);
	ck_assert_int_eq(gpt_parse(image, 2 * ss + N_ENTRIES * 128, SIZE, &g, &why), 0);
	ck_assert_uint_eq(g.n_partitions, 1);
	ck_assert_uint_eq(g.partitions[0].size, ss);
	gpt_done(&g);
}
END_TEST

START_TEST(limits_are_accepted) {
	build(sector_sizes[_i]);
	put_le(header() + 80, 4, GPT_ENTRIES_MAX);
	put_le(header() + 40, 8, 300);
	put_le(header() + 48, 8, SIZE / ss - 1);
	memset(entry(0), 0, 3 * 128);
	if (ss == 4096)
		put_le(header() + 40, 8, 2 + GPT_ENTRIES_MAX * 128 / 4096);
	gpt_seal(image, SIZE, ss);
	check_accepted();
	put_le(header() + 12, 4, ss);
	image[2 * ss - 1] = 1;
	gpt_seal(image, SIZE, ss);
	check_accepted();
}
END_TEST

/* dissect.3 */
START_TEST(backup_is_ignored) {
	build(sector_sizes[_i]);
	put_le(header() + 32, 8, UINT64_MAX);
	gpt_seal(image, SIZE, ss);
	memcpy(image + SIZE - ss, header(), 92);
	image[SIZE - ss + 20] = 1;
	check_accepted();
	memcpy(image + SIZE - ss, header(), 92);
	header()[56] = 1;
	check_refused(HEADER_CRC);
}
END_TEST

START_TEST(fields_are_read) {
	const char *why = NULL;
	struct gpt g;

	build(sector_sizes[_i]);
	for (uint8_t i = 0; i < 16; i++)
		header()[56 + i] = entry(0)[i] = entry(0)[16 + i] = i;
	put_le(entry(0) + 48, 8, UINT64_C(9) << 60);
	put_le(entry(0) + 56, 2, 'a');
	gpt_seal(image, SIZE, ss);
	ck_assert_int_eq(parse(&g, &why), 0);
	ck_assert_uint_eq(g.sector_size, ss);
	ck_assert_uint_eq(g.n_partitions, 2);
	ck_assert_uint_eq(g.partitions[0].index, 0);
	ck_assert_uint_eq(g.partitions[0].offset, UINT64_C(64) * ss);
	ck_assert_uint_eq(g.partitions[0].size, UINT64_C(10) * ss);
	ck_assert_uint_eq(g.partitions[0].attributes, UINT64_C(9) << 60);
	ck_assert_str_eq(g.partitions[0].label, "a");
	ck_assert_uint_eq(g.partitions[1].index, 2);
	ck_assert_uint_eq(g.partitions[1].offset, UINT64_C(74) * ss);
	ck_assert_uint_eq(g.partitions[1].type[5], 0x33);
	ck_assert_uint_eq(g.partitions[1].uuid[5], 0x44);
	ck_assert_str_eq(g.partitions[1].label, "");
	static const char guid[] = "03020100-0504-0706-0809-0a0b0c0d0e0f";
	char text[37];

	gpt_format_guid(g.disk, text);
	ck_assert_str_eq(text, guid);
	gpt_format_guid(g.partitions[0].type, text);
	ck_assert_str_eq(text, guid);
	gpt_format_guid(g.partitions[0].uuid, text);
	ck_assert_str_eq(text, guid);
	gpt_done(&g);
	ck_assert_ptr_null(g.partitions);
}
END_TEST

#define SIX(x) x, x, x, x, x, x
#define LONG(x) SIX(x), SIX(x), SIX(x), SIX(x), SIX(x), SIX(x)
#define TEXT6(x) x x x x x x
#define TEXT36(x) TEXT6(TEXT6(x))

/* dissect.8 */
static const struct {
	uint16_t units[36];
	const char *label;
} labels[] = {
	{ { 0 }, "" },
	{ { 'u', 's', 'r', 0, 'x' }, "usr" },
	{ { 0x7f, 0x80, 0x7ff, 0x800, 0xffff },
	  "\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf" },
	{ { 0xd83d, 0xde00, '!' }, "\xf0\x9f\x98\x80!" },
	{ { 0xd800, 0xdc00, 0xdbff, 0xdfff }, "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf" },
	{ { 0xd800, 'a' },
	  "\xef\xbf\xbd"
	  "a" },
	{ { 0xdc00, 'a' },
	  "\xef\xbf\xbd"
	  "a" },
	{ { 0xd800, 0xd800, 0xdc00 }, "\xef\xbf\xbd\xf0\x90\x80\x80" },
	{ { 0xd800 }, "\xef\xbf\xbd" },
	{ { LONG('x') }, TEXT36("x") },
	{ { LONG(0x20ac) }, TEXT36("\xe2\x82\xac") },
	{ { LONG(0xd800) }, TEXT36("\xef\xbf\xbd") },
};

START_TEST(label_is_utf8) {
	const char *why = NULL;
	struct gpt g;

	build(512);
	for (size_t i = 0; i < 36; i++)
		put_le(entry(2) + 56 + 2 * i, 2, labels[_i].units[i]);
	gpt_seal(image, SIZE, ss);
	ck_assert_int_eq(parse(&g, &why), 0);
	ck_assert_str_eq(g.partitions[1].label, labels[_i].label);
	gpt_done(&g);
}
END_TEST

/* A label ends with its entry: the next entry's type is no second half of a surrogate pair. */
START_TEST(label_ends_with_its_entry) {
	const char *why = NULL;
	struct gpt g;

	build(512);
	put_entry(3, 0xdc, 0x55, 84, 93);
	for (size_t i = 0; i < 36; i++)
		put_le(entry(2) + 56 + 2 * i, 2, i < 35 ? 'x' : 0xd83d);
	gpt_seal(image, SIZE, ss);
	ck_assert_int_eq(parse(&g, &why), 0);
	ck_assert_str_eq(g.partitions[1].label + 35, "\xef\xbf\xbd");
	gpt_done(&g);
}
END_TEST

int main(void) {
	Suite *s = suite_create("gpt");
	TCase *t = tcase_create("gpt");

	tcase_add_loop_test(t, mutation_is_refused, 0, ARRAY_SIZE(mutations));
	tcase_add_loop_test(t, same_uuid_is_refused, 0, ARRAY_SIZE(sector_sizes));
	tcase_add_loop_test(t, two_sector_sizes_are_refused, 0, ARRAY_SIZE(sector_sizes));
	tcase_add_loop_test(t, no_signature_is_no_table, 0, ARRAY_SIZE(sector_sizes));
	tcase_add_loop_test(t, truncation_is_refused, 0, ARRAY_SIZE(sector_sizes));
	tcase_add_loop_test(t, truncated_image_is_refused, 0, ARRAY_SIZE(sector_sizes));
	tcase_add_loop_test(t, least_is_accepted, 0, ARRAY_SIZE(sector_sizes));
	tcase_add_loop_test(t, limits_are_accepted, 0, ARRAY_SIZE(sector_sizes));
	tcase_add_loop_test(t, backup_is_ignored, 0, ARRAY_SIZE(sector_sizes));
	tcase_add_loop_test(t, fields_are_read, 0, ARRAY_SIZE(sector_sizes));
	tcase_add_loop_test(t, label_is_utf8, 0, ARRAY_SIZE(labels));
	tcase_add_test(t, label_ends_with_its_entry);
	suite_add_tcase(s, t);
	return unit_run(s);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The shape of hash trees around the sizes where a level is added. */

#include <check.h>

#include "unit.h"
#include "verity/geometry.h"

/* verity.6, verity.7 */
static const struct {
	uint64_t data_blocks;
	uint32_t hash_block_size;
	size_t digest_size;
	unsigned levels, index_bits, slot_size;
	uint64_t end, start_0;
} cases[] = {
	{ 1, 4096, 32, 0, 7, 32, 1, 0 },
	{ 2, 4096, 32, 1, 7, 32, 2, 1 },
	{ 128, 4096, 32, 1, 7, 32, 2, 1 },
	{ 129, 4096, 32, 2, 7, 32, 4, 2 },
	{ 128 * 128, 4096, 32, 2, 7, 32, 130, 2 },
	{ 128 * 128 + 1, 4096, 32, 3, 7, 32, 133, 4 },
	{ 64, 4096, 48, 1, 6, 64, 2, 1 },
	{ 65, 4096, 48, 2, 6, 64, 4, 2 },
	{ 65, 4096, 64, 2, 6, 64, 4, 2 },
	{ 8, 512, 64, 1, 3, 64, 2, 1 },
	{ 9, 512, 64, 2, 3, 64, 4, 2 },
	{ 17, 512, 32, 2, 4, 32, 4, 2 },
};

START_TEST(shape_is_right) {
	const struct geometry g = geometry_of(cases[_i].data_blocks,
					      cases[_i].hash_block_size,
					      cases[_i].digest_size);

	ck_assert_uint_eq(g.levels, cases[_i].levels);
	ck_assert_uint_eq(g.index_bits, cases[_i].index_bits);
	ck_assert_uint_eq(g.slot_size, cases[_i].slot_size);
	ck_assert_uint_eq(g.end, cases[_i].end);
	ck_assert_uint_eq(g.start[0], cases[_i].start_0);
	if (g.levels > 0)
		ck_assert_uint_eq(g.start[g.levels - 1], 1);
}
END_TEST

START_TEST(block_finds_its_way_up) {
	const struct geometry g = geometry_of(128 * 128 * 3, 4096, 32);
	const uint64_t block = 2 * 128 * 128 + 5 * 128 + 7;

	ck_assert_uint_eq(g.levels, 3);
	ck_assert_uint_eq(geometry_index(&g, 0, block), 2 * 128 + 5);
	ck_assert_uint_eq(geometry_index(&g, 1, block), 2);
	ck_assert_uint_eq(geometry_index(&g, 2, block), 0);
	ck_assert_uint_eq(geometry_slot(&g, 0, block), 7 * 32);
	ck_assert_uint_eq(geometry_slot(&g, 1, block), 5 * 32);
	ck_assert_uint_eq(geometry_slot(&g, 2, block), 2 * 32);
}
END_TEST

/* Whatever the number of blocks, nothing overflows. */
START_TEST(largest_tree_is_bounded) {
	const struct geometry g = geometry_of(UINT64_MAX, 512, 64);

	ck_assert_uint_eq(g.levels, GEOMETRY_LEVELS_MAX);
	ck_assert_uint_eq(g.blocks[g.levels - 1], 1);
	ck_assert_uint_eq(g.end, g.start[0] + g.blocks[0]);
	ck_assert_uint_lt(g.end, UINT64_MAX / 6);
	ck_assert_uint_eq(geometry_index(&g, g.levels - 1, UINT64_MAX), 0);
	ck_assert_uint_eq(geometry_slot(&g, g.levels - 1, UINT64_MAX), 64);
}
END_TEST

int main(void) {
	Suite *s = suite_create("geometry");
	TCase *t = tcase_create("geometry");

	tcase_add_loop_test(t, shape_is_right, 0, ARRAY_SIZE(cases));
	tcase_add_test(t, block_finds_its_way_up);
	tcase_add_test(t, largest_tree_is_bounded);
	suite_add_tcase(s, t);
	return unit_run(s);
}

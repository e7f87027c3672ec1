/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Numbers of files on several file systems do not meet. */

#include <check.h>

#include "fuse/inode.h"
#include "unit.h"

/* union.11 */
START_TEST(one_file_has_one_number) {
	static const uint64_t numbers[] = { 0,
					    1,
					    2,
					    UINT64_C(0xffffffffffff),
					    UINT64_C(1) << 48,
					    (UINT64_C(1) << 48) + 1,
					    UINT64_MAX };
	struct inode_devices d = { .numbers = NULL };
	uint64_t seen[3 * ARRAY_SIZE(numbers)], n;

	for (size_t round = 0; round < 2; round++)
		for (size_t i = 0; i < 3; i++)
			for (size_t j = 0; j < ARRAY_SIZE(numbers); j++) {
				uint64_t *was = &seen[i * ARRAY_SIZE(numbers) + j];

				ck_assert_int_eq(inode_number(&d, 40 + i * 7, numbers[j],
							      &n),
						 0);
				ck_assert_uint_ne(n, 0);
				if (round == 1)
					ck_assert_uint_eq(n, *was);
				*was = n;
			}
	ck_assert_uint_eq(d.n, 3);
	for (size_t i = 0; i < ARRAY_SIZE(seen); i++)
		for (size_t j = 0; j < i; j++)
			ck_assert_uint_ne(seen[i], seen[j]);
	inode_devices_done(&d);
}
END_TEST

START_TEST(numbers_of_the_first_are_its_own) {
	struct inode_devices d = { .numbers = NULL };
	uint64_t n;

	ck_assert_int_eq(inode_number(&d, 5, 1234, &n), 0);
	ck_assert_uint_eq(n, 1234);
	ck_assert_int_eq(inode_number(&d, 6, 1234, &n), 0);
	ck_assert_uint_eq(n, (UINT64_C(1) << 48) + 1234);
	inode_devices_done(&d);
}
END_TEST

START_TEST(too_many_devices_are_refused) {
	struct inode_devices d = { .numbers = NULL };
	uint64_t n;

	for (dev_t i = 0; i < INODE_DEVICES_MAX; i++)
		ck_assert_int_eq(inode_number(&d, i, 1, &n), 0);
	ck_assert_uint_eq(n >> 63, 0);
	ck_assert_int_eq(inode_number(&d, INODE_DEVICES_MAX, 1, &n), -EOVERFLOW);
	inode_devices_done(&d);
}
END_TEST

int main(void) {
	const TTest *const tests[] = { one_file_has_one_number,
				       numbers_of_the_first_are_its_own,
				       too_many_devices_are_refused, NULL };

	return unit_main("inode", tests);
}

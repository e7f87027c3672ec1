/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The words are whole words. */

#include <check.h>
#include <string.h>

#include "fuse/union-io.h"
#include "unit.h"

/* union.17 */
START_TEST(words) {
	static const char *const wrong[] = { "", "Auto", "aut", "cached ", "passthroug" };
	enum union_io got = UNION_IO_AUTO;

	for (int i = UNION_IO_AUTO; i <= UNION_IO_CACHED; i++) {
		const char *word = union_io_name((enum union_io)i);

		ck_assert_int_eq(union_io_parse(word, strlen(word), &got), 0);
		ck_assert_int_eq(got, i);
	}
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		ck_assert_int_eq(union_io_parse(wrong[i], strlen(wrong[i]), &got),
				 -EINVAL);
	ck_assert_int_eq(union_io_parse("cached!", 6, &got), 0);
}
END_TEST

int main(void) {
	const TTest *const tests[] = { words, NULL };

	return unit_main("union-io", tests);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Marks are recognised, and hidden. */

#include <check.h>
#include <sys/sysmacros.h>

#include "fuse/whiteout.h"
#include "unit.h"

/* union.4 */
START_TEST(only_the_device_0_0_is_a_whiteout) {
	struct stat st = { .st_mode = S_IFCHR | 0600, .st_rdev = makedev(0, 0) };

	ck_assert(whiteout_is_device(&st));
	st.st_rdev = makedev(0, 1);
	ck_assert(!whiteout_is_device(&st));
	st = (struct stat){ .st_mode = S_IFBLK, .st_rdev = makedev(0, 0) };
	ck_assert(!whiteout_is_device(&st));
	st.st_mode = S_IFREG;
	ck_assert(!whiteout_is_device(&st));
}
END_TEST

/* union.5, union.6 */
START_TEST(values_of_opaque) {
	ck_assert_int_eq(whiteout_opaque("y", 1), WHITEOUT_HIDES);
	ck_assert_int_eq(whiteout_opaque("x", 1), WHITEOUT_HAS_WHITEOUTS);
	ck_assert_int_eq(whiteout_opaque("n", 1), WHITEOUT_MERGES);
	ck_assert_int_eq(whiteout_opaque("ye", 2), WHITEOUT_MERGES);
	ck_assert_int_eq(whiteout_opaque("", 0), WHITEOUT_MERGES);
	ck_assert_str_eq(whiteout_xattr(WHITEOUT_USER, WHITEOUT_MARK_OPAQUE),
			 "user.overlay.opaque");
	ck_assert_str_eq(whiteout_xattr(WHITEOUT_TRUSTED, WHITEOUT_MARK_METACOPY),
			 "trusted.overlay.metacopy");
}
END_TEST

/* union.9 */
START_TEST(names_are_escaped) {
	char buffer[WHITEOUT_NAME_MAX], longest[WHITEOUT_NAME_MAX] = "trusted.overlay.";

	ck_assert_str_eq(whiteout_to_layer(WHITEOUT_TRUSTED, "user.x", buffer), "user.x");
	ck_assert_str_eq(whiteout_to_layer(WHITEOUT_TRUSTED, "user.overlay.opaque",
					   buffer),
			 "user.overlay.opaque");
	ck_assert_str_eq(whiteout_to_layer(WHITEOUT_TRUSTED, "trusted.overlay.opaque",
					   buffer),
			 "trusted.overlay.overlay.opaque");
	ck_assert_str_eq(whiteout_to_layer(WHITEOUT_USER, "user.overlay.opaque", buffer),
			 "user.overlay.overlay.opaque");
	memset(longest + strlen(longest), 'a', sizeof(longest) - 1 - strlen(longest));
	ck_assert_ptr_null(whiteout_to_layer(WHITEOUT_TRUSTED, longest, buffer));
}
END_TEST

START_TEST(lists_are_filtered) {
	char list[] =
		"user.x\0trusted.overlay.opaque\0trusted.overlay.overlay.opaque\0user.overlay.y\0trusted.z";
	static const char good[] =
		"user.x\0trusted.overlay.opaque\0user.overlay.y\0trusted.z";
	char half[] = "user.x\0unended";

	ck_assert_uint_eq(whiteout_filter_list(WHITEOUT_TRUSTED, list, sizeof(list)),
			  sizeof(good));
	ck_assert_mem_eq(list, good, sizeof(good));
	ck_assert_uint_eq(whiteout_filter_list(WHITEOUT_TRUSTED, half, sizeof(half) - 1),
			  sizeof("user.x"));
	ck_assert_uint_eq(whiteout_filter_list(WHITEOUT_TRUSTED, half, 0), 0);
}
END_TEST

int main(void) {
	const TTest *const tests[] = { only_the_device_0_0_is_a_whiteout, values_of_opaque,
				       names_are_escaped, lists_are_filtered, NULL };

	return unit_main("whiteout", tests);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The words of the back ends, and which errors say that one cannot be had (specs: switch.14). */
#include "merge/backend.h"

#include "unit.h"

START_TEST(words_go_round) {
	static const char *const words[] = { "auto", "overlay", "fuse" };
	enum backend b = BACKEND_FUSE;

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		ck_assert_int_eq(backend_from(words[i], &b), 0);
		ck_assert_uint_eq(b, i);
		ck_assert_str_eq(backend_text(b), words[i]);
	}
	ck_assert_int_eq(backend_from("overlayfs", &b), -EINVAL);
	ck_assert_int_eq(backend_from("", &b), -EINVAL);
	ck_assert_int_eq(b, BACKEND_FUSE);
}
END_TEST

/* What another back end could not mend is none: then the old set stays. */
START_TEST(shortage_is_no_reason) {
	static const int missing[] = { -ENODEV, -ENOSYS, -EPERM,      -EACCES,
				       -EINVAL, -E2BIG,	 -EOPNOTSUPP, -ENOENT },
			 others[] = { 0,       3,      -ENOMEM, -EMFILE,    -ENFILE, -EIO,
				      -ENOSPC, -EINTR, -ELOOP,	-ETIMEDOUT, -EPROTO };

	for (size_t i = 0; i < ARRAY_SIZE(missing); i++)
		ck_assert_msg(backend_is_missing(missing[i]), "%d", missing[i]);
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		ck_assert_msg(!backend_is_missing(others[i]), "%d", others[i]);
}
END_TEST

int main(void) {
	const TTest *const tests[] = { words_go_round, shortage_is_no_reason, NULL };

	return unit_main("backend", tests);
}

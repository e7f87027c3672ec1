/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is written is read; anything else is refused. */

#include <check.h>

#include "fuse/union-request.h"
#include "merge/strv.h"
#include "unit.h"

/* union.14 */
START_TEST(what_is_written_is_read) {
	const struct union_request q = { .n_layers = 500,
					 .threads = 2,
					 .space = WHITEOUT_USER,
					 .io = UNION_IO_CACHED,
					 .writes = true,
					 .enclosed = true,
					 .name = "--\n" };
	_cleanup_strv_ char **argv = NULL;
	struct union_request got;
	const char *why = "";

	ck_assert_int_eq(union_request_format(&q, &argv), 0);
	ck_assert_msg(union_request_parse((int)strv_length(argv), argv, &got, &why) == 0,
		      "%s", why);
	ck_assert_uint_eq(got.n_layers, 500);
	ck_assert_uint_eq(got.threads, 2);
	ck_assert_int_eq(got.space, WHITEOUT_USER);
	ck_assert_int_eq(got.io, UNION_IO_CACHED);
	ck_assert(got.writes);
	ck_assert(got.enclosed);
	ck_assert_str_eq(got.name, "--\n");
}
END_TEST

START_TEST(anything_else_is_refused) {
	static const char *const refused[][8] = {
		{ "--layers=0", "--xattrs=user", "--threads=1", "--io=auto", "--upper=no",
		  "--root=own", "--", "n" },
		{ "--layers=501", "--xattrs=user", "--threads=1", "--io=auto",
		  "--upper=no", "--root=own", "--", "n" },
		{ "--layers=1x", "--xattrs=user", "--threads=1", "--io=auto",
		  "--upper=no", "--root=own", "--", "n" },
		{ "--layers=1", "--xattrs=", "--threads=1", "--io=auto", "--upper=no",
		  "--root=own", "--", "n" },
		{ "--layers=1", "--xattrs=user", "--threads=65", "--io=auto",
		  "--upper=no", "--root=own", "--", "n" },
		{ "--layers=1", "--xattrs=user", "--threads=1", "--io=auto", "--upper=no",
		  "--root=own", "-", "n" },
		{ "--threads=1", "--xattrs=user", "--layers=1", "--io=auto", "--upper=no",
		  "--root=own", "--", "n" },
		{ "--layers=1", "--xattrs=user", "--threads=1", "--io=", "--upper=no",
		  "--root=own", "--", "n" },
		{ "--layers=1", "--xattrs=user", "--threads=1", "--io=auto",
		  "--upper=", "--root=own", "--", "n" },
		{ "--layers=1", "--xattrs=user", "--threads=1", "--io=auto", "--upper=no",
		  "--root=", "--", "n" },
		{ "--layers=1", "--xattrs=user", "--threads=1", "--oi=auto", "--upper=no",
		  "--root=own", "--", "n" },
	};
	static const char *const good[] = { "--layers=1",  "--xattrs=user",
					    "--threads=1", "--io=auto",
					    "--upper=yes", "--root=inner",
					    "--",	   "n" };
	struct union_request got;
	const char *why;

	ck_assert_int_eq(union_request_parse(8, (char *const *)good, &got, &why), 0);
	ck_assert_int_eq(union_request_parse(7, (char *const *)good, &got, &why), -EINVAL);
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++)
		ck_assert_int_eq(union_request_parse(8, (char *const *)refused[i], &got,
						     &why),
				 -EINVAL);
}
END_TEST

int main(void) {
	const TTest *const tests[] = { what_is_written_is_read, anything_else_is_refused,
				       NULL };

	return unit_main("union-request", tests);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is written is read; anything else is refused. */

#include <check.h>
#include <string.h>

#include "fuse/request.h"
#include "merge/strv.h"
#include "unit.h"

/* vfile.10 */
START_TEST(what_is_written_is_read) {
	static const char *const names[] = { "foo.raw", "", "--root=00", "a\nb" };
	struct request q = { .cache_bytes = 12345,
			     .threads = 3,
			     .takes_more = true,
			     .target = { .data_offset = 1048576,
					 .data_size = (uint64_t)1 << 40,
					 .hash_offset = 0,
					 .hash_size = 8192,
					 .root_size = 48 } };

	for (size_t i = 0; i < q.target.root_size; i++)
		q.target.root[i] = (uint8_t)(i * 37);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++, q.takes_more = !q.takes_more) {
		_cleanup_strv_ char **argv = NULL;
		struct request got = { .threads = 0 };
		const char *why = "";

		q.name = names[i];
		ck_assert_int_eq(request_format(&q, &argv), 0);
		ck_assert_msg(request_parse((int)strv_length(argv), argv, &got, &why) == 0,
			      "%s", why);
		ck_assert_str_eq(got.name, names[i]);
		ck_assert_uint_eq(got.cache_bytes, q.cache_bytes);
		ck_assert_uint_eq(got.threads, q.threads);
		ck_assert_int_eq(got.takes_more, q.takes_more);
		ck_assert_uint_eq(got.target.data_offset, q.target.data_offset);
		ck_assert_uint_eq(got.target.data_size, q.target.data_size);
		ck_assert_uint_eq(got.target.hash_offset, q.target.hash_offset);
		ck_assert_uint_eq(got.target.hash_size, q.target.hash_size);
		ck_assert_uint_eq(got.target.root_size, q.target.root_size);
		ck_assert_mem_eq(got.target.root, q.target.root, q.target.root_size);
		ck_assert_int_eq(got.target.data_fd, REQUEST_FD_DATA);
		ck_assert_int_eq(got.target.hash_fd, REQUEST_FD_HASH);
		ck_assert_ptr_null(got.target.signature);
	}
}
END_TEST

#define H32 "00112233445566778899aabbccddeeff"
#define H64 H32 H32
#define GOOD \
	"--root=" H64, "--data=0:4096", "--hash=4096:8192", "--cache=0", "--threads=1"
#define ARGUMENTS_MAX 12

static const struct {
	const char *argv[ARGUMENTS_MAX], *why;
} refused[] = {
	{ { NULL }, "an option is missing" },
	{ { "--", "name" }, "an option is missing" },
	{ { GOOD }, "there must be '--' and one name" },
	{ { GOOD, "--" }, "there must be '--' and one name" },
	{ { GOOD, "--", "a", "b" }, "there must be '--' and one name" },
	{ { GOOD, "name" }, "there is an unknown option" },
	{ { GOOD, "--rot=00", "--", "a" }, "there is an unknown option" },
	{ { GOOD, "--cache=0", "--", "a" }, "an option is there twice" },
	{ { GOOD, "--more", "--more", "--", "a" }, "an option is there twice" },
	{ { GOOD, "--more=8", "--", "a" }, "there is an unknown option" },
	{ { "--root=" }, "the value of an option is wrong" },
	{ { "--root=0" }, "the value of an option is wrong" },
	{ { "--root=0G" }, "the value of an option is wrong" },
	{ { "--root=AA" }, "the value of an option is wrong" },
	{ { "--root=" H64 H64 "00" }, "the value of an option is wrong" },
	{ { "--data=1" }, "the value of an option is wrong" },
	{ { "--data=:1" }, "the value of an option is wrong" },
	{ { "--data=1:" }, "the value of an option is wrong" },
	{ { "--data=1:2:3" }, "the value of an option is wrong" },
	{ { "--data=-1:2" }, "the value of an option is wrong" },
	{ { "--data= 1:2" }, "the value of an option is wrong" },
	{ { "--data=1:0x2" }, "the value of an option is wrong" },
	{ { "--data=9223372036854775807:1" }, "the value of an option is wrong" },
	{ { "--hash=99999999999999999999:1" }, "the value of an option is wrong" },
	{ { "--cache=1073741825" }, "the value of an option is wrong" },
	{ { "--cache=" }, "the value of an option is wrong" },
	{ { "--threads=0" }, "the value of an option is wrong" },
	{ { "--threads=65" }, "the value of an option is wrong" },
};

START_TEST(anything_else_is_refused) {
	char *argv[ARGUMENTS_MAX];
	const char *why = "";
	struct request got;
	int n = 0;

	for (; n < ARGUMENTS_MAX && refused[_i].argv[n]; n++)
		argv[n] = strdup(refused[_i].argv[n]);
	ck_assert_int_eq(request_parse(n, argv, &got, &why), -EINVAL);
	ck_assert_str_eq(why, refused[_i].why);
	while (n-- > 0)
		free(argv[n]);
}
END_TEST

int main(void) {
	Suite *suite = suite_create("request");
	TCase *tcase = tcase_create("request");

	tcase_add_test(tcase, what_is_written_is_read);
	tcase_add_loop_test(tcase, anything_else_is_refused, 0, ARRAY_SIZE(refused));
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}

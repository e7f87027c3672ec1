/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a tree of systemd-sysext says is in it (specs: adopt.2, adopt.3). */
#include "merge/peernames.h"

#include "merge/strv.h"
#include "unit.h"

static const struct {
	const char *text;
	size_t len, n; /* n: how many names, 0 where it is refused */
} cases[] = {
	{ "one\ntwo\n", 8, 2 },	    { "one", 3, 1 },	 { "\none\n\n", 6, 1 },
	{ "a b\n", 4, 1 },	    { "", 0, 0 },	 { "\n\n", 2, 0 },
	{ "one\n../two\n", 11, 0 }, { "o\0ne\n", 5, 0 }, { "/\n", 2, 0 },
};

START_TEST(names) {
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_strv_ char **read = NULL;
		int r = peernames_parse(cases[i].text, cases[i].len, &read);

		ck_assert_msg(r == (cases[i].n ? 0 : -EBADMSG), "%zu: %d", i, r);
		ck_assert_uint_eq(strv_length(read), cases[i].n);
	}
}
END_TEST

int main(void) {
	const TTest *const tests[] = { names, NULL };

	return unit_main("peernames", tests);
}

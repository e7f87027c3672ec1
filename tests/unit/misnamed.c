/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Proves which names of files are taken for slips of the hand (specs: discover.misnamed). */
#include "merge/misnamed.h"

#include "unit.h"

static const struct {
	const char *entry, *stem; /* NULL: it is none */
	bool is_packed;
} cases[] = {
	{ "tool.img", "tool", false },
	{ "tool_1.2_x86-64.squashfs", "tool_1.2_x86-64", false },
	{ "tool.sysext.sqfs", "tool.sysext", false },
	{ "tool.erofs", "tool", false },
	{ "tool.RAW", "tool", false },
	{ "tool.Img", "tool", false },
	{ "tool.raw.xz", "tool", true },
	{ "tool.raw.zst", "tool", true },
	{ "tool.img.gz", "tool", true },
	{ "tool.RAW.GZ", "tool", true },
	{ "tool.img.img", "tool.img", false },
	/* As it should be. */
	{ "tool.raw", NULL, false },
	{ "tool.raw.raw", NULL, false },
	{ "tool.img.raw", NULL, false },
	/* What lies beside images, and what nobody knows. */
	{ "tool.roothash", NULL, false },
	{ "tool.roothash.p7s", NULL, false },
	{ "tool.usrhash", NULL, false },
	{ "tool.verity", NULL, false },
	{ "tool.raw.sha256", NULL, false },
	{ "tool.raw.sig", NULL, false },
	{ "tool.raw.new", NULL, false },
	{ "tool.raw~", NULL, false },
	{ "tool.xz", NULL, false },
	{ "SHA256SUMS", NULL, false },
	{ "README", NULL, false },
	{ "tool", NULL, false },
	{ ".tool.img", NULL, false },
	/* Nothing would be left. */
	{ ".img", NULL, false },
	{ ".raw.xz", NULL, false },
	{ "img", NULL, false },
	{ "", NULL, false },
};

START_TEST(slips_are_seen) {
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct misnamed m = { 12345, false };
		bool is_one = misnamed_look(cases[i].entry, &m);

		ck_assert_msg(is_one == (cases[i].stem != NULL), "%s", cases[i].entry);
		if (!is_one) {
			ck_assert_uint_eq(m.stem, 12345);
			continue;
		}
		ck_assert_msg(m.stem == strlen(cases[i].stem), "%s", cases[i].entry);
		ck_assert_int_eq(strncmp(cases[i].entry, cases[i].stem, m.stem), 0);
		ck_assert_msg(m.is_packed == cases[i].is_packed, "%s", cases[i].entry);
	}
}
END_TEST

int main(void) {
	return unit_main("misnamed", (const TTest *const[]){ slips_are_seen, NULL });
}

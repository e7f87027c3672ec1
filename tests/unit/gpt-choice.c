/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which partitions are chosen, for an x86-64 host with x86 beside it. */

#include <check.h>
#include <string.h>

#include "unit.h"
#include "verity/gpt.h"

#define NO_AUTO (UINT64_C(1) << 63)

/* Types in the order in which they are printed, from specs/gpt-types.tsv. */
#define ROOT_64 "4f68bce3e8cd4db196e7fbcaf984b709"
#define ROOT_64_VERITY "2c7357edebd246d9aec123d437ec2bf5"
#define ROOT_64_SIGNATURE "41092b059fc84523994f2def0408b176"
#define USR_64 "8484680c952148c69c11b0720656f69e"
#define USR_64_VERITY "77ff5f63e7b64633acf41565b864c0e6"
#define USR_64_SIGNATURE "e7bb33fb06cf4e818273e543b413e2e2"
#define ROOT_32 "44479540f29741b29af7d131d5f0458a"
#define ROOT_32_VERITY "d13c5d3bb5d1422ab29f9454fdc89d76"
#define USR_32 "75250d768cc6458ebd66bd47cc81a812"
#define ROOT_ARM64 "b921b0451df041c3af444c6f280d3fae"
#define ESP "c12a7328f81f11d2ba4b00a0c93ec93b"
#define GENERIC "0fc63daf848347728e793d69d8477de4"

#define PARTITIONS_MAX 6
#define P(type, label) \
	{ type, label, 0 }
#define FITS(architecture, ...) \
	0, architecture, {      \
		__VA_ARGS__     \
	}
#define REFUSED(r, why) \
	r, why, {       \
		0       \
	}
#define NATIVE "x86-64", "x86"

static const struct {
	struct {
		const char *type, *label;
		uint64_t attributes;
	} partitions[PARTITIONS_MAX];
	const char *native, *secondary;
	int r;
	const char *text; /* the architecture, or the sentence */
	int chosen[GPT_DESIGNATOR_COUNT * GPT_ROLE_COUNT]; /* root, then usr */
} cases[] = {
	/* each alone, and all of usr */
	{ { P(ROOT_64, "") }, NATIVE, FITS("x86-64", 0, -1, -1, -1, -1, -1) },
	{ { P(USR_64, "") }, NATIVE, FITS("x86-64", -1, -1, -1, 0, -1, -1) },
	{ { P(ESP, ""), P(USR_64_SIGNATURE, ""), P(USR_64_VERITY, ""), P(USR_64, "") },
	  NATIVE,
	  FITS("x86-64", -1, -1, -1, 3, 2, 1) },
	{ { P(ROOT_64, ""), P(ROOT_64_VERITY, ""), P(ROOT_64_SIGNATURE, "") },
	  NATIVE,
	  FITS("x86-64", 0, 1, 2, -1, -1, -1) },
	{ { P(ROOT_64, ""), P(USR_64, ""), P(USR_64_VERITY, "") },
	  NATIVE,
	  FITS("x86-64", 0, -1, -1, 1, 2, -1) },
	/* dissect.9 */
	{ { { ROOT_64, "9", NO_AUTO },
	    P(ROOT_64, "PRT#9"),
	    P(ROOT_64, "PND#9"),
	    P(ROOT_64, "_empty"),
	    P(ROOT_64, "1") },
	  NATIVE,
	  FITS("x86-64", 4, -1, -1, -1, -1, -1) },
	{ { P(ROOT_64, "prt#"), P(ROOT_64, "PRT") },
	  NATIVE,
	  FITS("x86-64", 0, -1, -1, -1, -1, -1) },
	{ { { ROOT_64, "_empty2", ~NO_AUTO } },
	  NATIVE,
	  FITS("x86-64", 0, -1, -1, -1, -1, -1) },
	{ { { ROOT_64, "", NO_AUTO } },
	  NATIVE,
	  REFUSED(-ENOENT, "no root, usr or generic partition") },
	{ { P(ROOT_64, "PRT#"), P(GENERIC, "") },
	  NATIVE,
	  FITS(NULL, 1, -1, -1, -1, -1, -1) },
	{ { P(ROOT_64, ""), P(ROOT_64_VERITY, "PND#") },
	  NATIVE,
	  FITS("x86-64", 0, -1, -1, -1, -1, -1) },
	{ { P(ROOT_64, "PND#"), P(ROOT_64_VERITY, "") },
	  NATIVE,
	  REFUSED(-EBADMSG, "verity without its data partition") },
	/* dissect.10 */
	{ { P(ROOT_32, "9"), P(ROOT_64, "1") },
	  NATIVE,
	  FITS("x86-64", 1, -1, -1, -1, -1, -1) },
	{ { P(ROOT_32, ""), P(ROOT_ARM64, "") },
	  NATIVE,
	  FITS("x86", 0, -1, -1, -1, -1, -1) },
	{ { P(ROOT_32, ""), P(ROOT_32_VERITY, "") },
	  NATIVE,
	  FITS("x86", 0, 1, -1, -1, -1, -1) },
	{ { P(USR_32, "") }, NATIVE, FITS("x86", -1, -1, -1, 0, -1, -1) },
	{ { P(ROOT_32, ""), P(USR_32, ""), P(ROOT_64, ""), P(USR_64, "") },
	  NATIVE,
	  FITS("x86-64", 2, -1, -1, 3, -1, -1) },
	{ { P(ROOT_64, ""), P(ROOT_32, ""), P(ROOT_32_VERITY, "") },
	  NATIVE,
	  FITS("x86-64", 0, -1, -1, -1, -1, -1) },
	{ { P(ROOT_64_VERITY, ""), P(ROOT_32, "") },
	  NATIVE,
	  REFUSED(-EBADMSG, "verity without its data partition") },
	{ { P(ROOT_32, "") },
	  "x86-64",
	  NULL,
	  REFUSED(-ENOEXEC, "only partitions of other architectures") },
	{ { P(ROOT_ARM64, "") },
	  NATIVE,
	  REFUSED(-ENOEXEC, "only partitions of other architectures") },
	{ { P(ROOT_ARM64, "") },
	  NULL,
	  NULL,
	  REFUSED(-ENOEXEC, "only partitions of other architectures") },
	{ { P(ROOT_ARM64, "") }, "arm64", "arm", FITS("arm64", 0, -1, -1, -1, -1, -1) },
	/* dissect.11: any order in the table, a tie, and a difference that compare calls none */
	{ { P(USR_64, "a_1"), P(USR_64, "a_3"), P(USR_64, "a_2") },
	  NATIVE,
	  FITS("x86-64", -1, -1, -1, 1, -1, -1) },
	{ { P(USR_64, "a_2"), P(USR_64, "a_2"), P(USR_64, "a_1") },
	  NATIVE,
	  FITS("x86-64", -1, -1, -1, 0, -1, -1) },
	{ { P(USR_64, "a_9"), P(USR_64, "a_10"), P(USR_64_VERITY, "a_10"),
	    P(USR_64_VERITY, "a_9") },
	  NATIVE,
	  FITS("x86-64", -1, -1, -1, 1, 2, -1) },
	/* dissect.12 */
	{ { P(ROOT_64_VERITY, "") },
	  NATIVE,
	  REFUSED(-EBADMSG, "verity without its data partition") },
	{ { P(USR_64_VERITY, ""), P(ROOT_64, "") },
	  NATIVE,
	  REFUSED(-EBADMSG, "verity without its data partition") },
	{ { P(USR_64_VERITY, ""), P(USR_64_SIGNATURE, "") },
	  NATIVE,
	  REFUSED(-EBADMSG, "verity without its data partition") },
	{ { P(USR_64, ""), P(USR_64_SIGNATURE, "") },
	  NATIVE,
	  REFUSED(-EBADMSG, "a signature without its verity partition") },
	{ { P(ROOT_64_SIGNATURE, "") },
	  NATIVE,
	  REFUSED(-EBADMSG, "a signature without its verity partition") },
	{ { P(GENERIC, ""), P(ROOT_64_SIGNATURE, "") },
	  NATIVE,
	  REFUSED(-EBADMSG, "a signature without its verity partition") },
	/* dissect.13 */
	{ { P(ROOT_64, ""), P(USR_32, "") },
	  NATIVE,
	  REFUSED(-ENOTUNIQ, "root and usr of different architectures") },
	{ { P(ROOT_32, ""), P(USR_64, "") },
	  NATIVE,
	  REFUSED(-ENOTUNIQ, "root and usr of different architectures") },
	{ { P(ROOT_64_VERITY, ""), P(ROOT_64, ""), P(USR_64, "") },
	  NATIVE,
	  REFUSED(-ENOTUNIQ, "verity on root beside usr") },
	/* dissect.14 */
	{ { P(ESP, ""), P(GENERIC, "") }, NATIVE, FITS(NULL, 1, -1, -1, -1, -1, -1) },
	{ { P(GENERIC, "") }, NULL, NULL, FITS(NULL, 0, -1, -1, -1, -1, -1) },
	{ { P(GENERIC, "1"), P(GENERIC, "2") },
	  NATIVE,
	  REFUSED(-ENOTUNIQ, "more than one generic partition") },
	{ { P(GENERIC, "PRT#"), { GENERIC, "", NO_AUTO }, P(GENERIC, "") },
	  NATIVE,
	  FITS(NULL, 2, -1, -1, -1, -1, -1) },
	{ { P(GENERIC, ""), P(ROOT_64, ""), P(GENERIC, "") },
	  NATIVE,
	  FITS("x86-64", 1, -1, -1, -1, -1, -1) },
	{ { P(GENERIC, ""), P(ROOT_ARM64, "") },
	  NATIVE,
	  REFUSED(-ENOEXEC, "only partitions of other architectures") },
	{ { P(ESP, "") }, NATIVE, REFUSED(-ENOENT, "no root, usr or generic partition") },
	{ { P(NULL, NULL) },
	  NATIVE,
	  REFUSED(-ENOENT, "no root, usr or generic partition") },
};

static void parse_type(const char *text, uint8_t ret[static 16]) {
	for (size_t i = 0; i < 16; i++) {
		unsigned byte;

		ck_assert_int_eq(sscanf(text + 2 * i, "%2x", &byte), 1);
		ret[i] = (uint8_t)byte;
	}
}

START_TEST(the_right_one_is_chosen) {
	typeof(*cases) *c = &cases[_i];
	struct gpt_partition partitions[PARTITIONS_MAX] = {};
	struct gpt g = { .partitions = partitions };
	struct gpt_choice choice = { .architecture = "untouched" };
	const char *why = "untouched";
	int r;

	for (; g.n_partitions < PARTITIONS_MAX; g.n_partitions++) {
		typeof(*c->partitions) *from = &c->partitions[g.n_partitions];

		if (!from->type)
			break;
		parse_type(from->type, partitions[g.n_partitions].type);
		strcpy(partitions[g.n_partitions].label, from->label);
		partitions[g.n_partitions].attributes = from->attributes;
	}
	r = gpt_choose(&g, c->native, c->secondary, strverscmp, &choice, &why);
	ck_assert_msg(r == c->r, "case %d: %d, not %d: %s", _i, r, c->r, why);
	if (r < 0) {
		ck_assert_msg(strcmp(why, c->text) == 0, "case %d: %s", _i, why);
		ck_assert_str_eq(choice.architecture, "untouched");
		return;
	}
	ck_assert_pstr_eq(choice.architecture, c->text);
	ck_assert_msg(memcmp(choice.partition, c->chosen, sizeof(c->chosen)) == 0,
		      "case %d", _i);
}
END_TEST

int main(void) {
	Suite *s = suite_create("gpt-choice");
	TCase *t = tcase_create("gpt-choice");

	tcase_add_loop_test(t, the_right_one_is_chosen, 0, ARRAY_SIZE(cases));
	suite_add_tcase(s, t);
	return unit_run(s);
}

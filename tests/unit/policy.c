/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The vectors of policy.tsv, and what policies say about images. */

#include <check.h>
#include <string.h>

#include "unit.h"
#include "verity/policy.h"

static struct policy parse(const char *text) {
	const char *why = "";
	struct policy p;

	ck_assert_msg(policy_parse(text, strlen(text), &p, &why) == 0, "'%s': %s", text,
		      why);
	return p;
}

static void assert_format(const struct policy *p, const char *expected) {
	_cleanup_free_ char *text = policy_format(p);

	ck_assert_str_eq(text, expected);
}

/* The flags as the letters of policy.tsv. */
static const char *spell(uint32_t flags, char ret[static 32]) {
	static const struct {
		uint32_t flag, without; /* not where `without` is also set */
		char letter;
	} letters[] = {
		{ POLICY_VERITY, 0, 'v' },
		{ POLICY_SIGNED, 0, 's' },
		{ POLICY_ENCRYPTED, 0, 'e' },
		{ POLICY_ENCRYPTED_WITH_INTEGRITY, 0, 'i' },
		{ POLICY_UNPROTECTED, 0, 'u' },
		{ POLICY_UNUSED, 0, 'U' },
		{ POLICY_ABSENT, 0, 'A' },
		{ POLICY_READ_ONLY_OFF, POLICY_READ_ONLY_ON, 'r' },
		{ POLICY_READ_ONLY_ON, POLICY_READ_ONLY_OFF, 'R' },
		{ POLICY_GROWFS_OFF, POLICY_GROWFS_ON, 'g' },
		{ POLICY_GROWFS_ON, POLICY_GROWFS_OFF, 'G' },
	};
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(letters); i++)
		if (flags & letters[i].flag && !(flags & letters[i].without))
			ret[n++] = letters[i].letter;
	if (flags & POLICY_FSTYPES && (flags & POLICY_FSTYPES) != POLICY_FSTYPES)
		ret[n++] = 'f';
	if (!(flags & POLICY_OPEN))
		n = 0, ret[n++] = '0';
	ret[n] = '\0';
	return ret;
}

static const struct {
	const char *name;
	int error;
	const char *why;
} errors[] = {
	{ "EINVAL", -EINVAL, "not of the form PARTITION=FLAG+FLAG:..." },
	{ "EBADSLT", -EBADSLT, "unknown partition" },
	{ "EBADRQC", -EBADRQC, "unknown flag" },
	{ "ENOTUNIQ", -ENOTUNIQ, "two rules for one partition" },
};

static bool check_error(const struct unit_row *row) {
	const char *text = row->cells[0], *why = "";
	struct policy p = { .fallback = 7 };

	for (size_t i = 0; i < ARRAY_SIZE(errors); i++) {
		int r;

		if (strcmp(row->cells[1], errors[i].name) != 0)
			continue;
		r = policy_parse(text, strlen(text), &p, &why);
		unit_assert_row(row, r == errors[i].error, "'%s' gives %d", text, r);
		unit_assert_row(row, strcmp(why, errors[i].why) == 0, "'%s'", why);
		ck_assert_uint_eq(p.fallback, 7);
		return true;
	}
	return false;
}

static void check_row(const struct unit_row *row) {
	static const enum policy_designator columns[] = {
		POLICY_ROOT,
		POLICY_USR,
		POLICY_HOME,
		POLICY_ROOT_VERITY,
		POLICY_ROOT_VERITY_SIG,
	};
	struct policy p, again;
	_cleanup_free_ char *text = NULL;

	if (check_error(row))
		return;
	p = parse(row->cells[0]);
	text = policy_format(&p);
	unit_assert_row(row, strcmp(text, row->cells[1]) == 0, "printed '%s'", text);
	again = parse(text);
	unit_assert_row(row, policy_equal(&p, &again), "'%s' means something else", text);
	for (size_t i = 0; i < ARRAY_SIZE(columns); i++) {
		char said[32];

		unit_assert_row(row,
				strcmp(spell(policy_get(&p, columns[i]), said),
				       row->cells[2 + i]) == 0,
				"%s is %s", policy_designator_name(columns[i]), said);
	}
}

START_TEST(vectors_hold) {
	unit_each_row("policy.tsv", 7, check_row);
}
END_TEST

/* threats.md row 60 */
START_TEST(length_is_bounded) {
	static char text[POLICY_TEXT_MAX + 1];
	const char *why = "";
	struct policy p;

	memset(text, ' ', sizeof(text));
	memcpy(text, "root=signed", 11);
	ck_assert_int_eq(policy_parse(text, POLICY_TEXT_MAX, &p, &why), 0);
	assert_format(&p, "root=signed");
	ck_assert_int_eq(policy_parse(text, sizeof(text), &p, &why), -E2BIG);
	ck_assert_str_eq(why, "longer than 4096 bytes");
	ck_assert_int_eq(policy_parse(NULL, 0, &p, &why), 0);
	assert_format(&p, "-");
	ck_assert_int_eq(policy_parse("root\0=open", 10, &p, &why), -EBADSLT);
	ck_assert_int_eq(policy_parse("root=open\0", 10, &p, &why), -EBADRQC);
	ck_assert_int_eq(policy_parse("*root", 1, &p, &why), 0);
}
END_TEST

START_TEST(designators_have_names) {
	for (int d = 0; d < POLICY_DESIGNATOR_COUNT; d++) {
		const char *name = policy_designator_name((enum policy_designator)d);

		ck_assert_int_eq(policy_designator_from(name, strlen(name)), d);
	}
	ck_assert_int_eq(policy_designator_from("root", 3), -ENOENT);
	ck_assert_int_eq(policy_designator_from("", 0), -ENOENT);
}
END_TEST

/* policy.14 */
START_TEST(defaults_are_known) {
	ck_assert_str_eq(policy_default("sysext", false),
			 "root=verity+signed+encrypted+unprotected+absent:"
			 "usr=verity+signed+encrypted+unprotected+absent");
	ck_assert_str_eq(policy_default("confext", false),
			 "root=verity+signed+encrypted+unprotected+absent");
	ck_assert_str_eq(policy_default("sysext", true),
			 "root=signed+absent:usr=signed+absent");
	ck_assert_str_eq(policy_default("confext", true), "root=signed+absent");
	ck_assert_str_eq(policy_default("portable", false), "~");
	ck_assert_str_eq(policy_default("portable", true), "~");
}
END_TEST

/* policy.15 */
static const struct {
	const char *text;
	uint32_t protections;
	const char *left;
} limits[] = {
	{ "*", POLICY_SIGNED, "root=signed+unused+absent:usr=signed+unused+absent:=open" },
	{ "root=verity+signed+absent", POLICY_SIGNED, "root=signed+absent" },
	{ "root=verity+signed+absent", POLICY_SIGNED | POLICY_VERITY,
	  "root=verity+signed+absent" },
	{ "root=unprotected:usr=open", POLICY_SIGNED,
	  "root=absent:usr=signed+unused+absent" },
	{ "root=unprotected+erofs:usr=signed+erofs", POLICY_SIGNED,
	  "root=absent:usr=signed+erofs" },
	{ "-", POLICY_SIGNED, "-" },
	{ "~", POLICY_SIGNED, "~" },
	{ "root=open", POLICY_PROTECTIONS, "root=open" },
};

START_TEST(limit_narrows) {
	struct policy p = parse(limits[_i].text), left = parse(limits[_i].left);

	policy_limit(&p, limits[_i].protections);
	ck_assert(policy_equal(&p, &left));
	assert_format(&p, limits[_i].left);
}
END_TEST

#define DENIED "the policy does not allow such a partition"
#define MISSING "a partition that the policy asks for is missing"
#define LACKS "the partition lacks the protection that the policy asks for"
#define READ_ONLY "the policy forbids this state of the partition's read-only attribute"
#define GROWFS \
	"the policy forbids this state of the partition's grow-file-system attribute"
#define FSTYPE "the policy forbids this file system type"

#define NONE \
	{ false, 0, false, false, NULL }
#define WITH(protection) \
	{ true, protection, false, false, "erofs" }

/* policy.10 to policy.13 */
static const struct {
	const char *text;
	enum policy_designator designator;
	struct policy_partition found;
	uint32_t usable;
	const char *why;
} checks[] = {
	/* policy.10 */
	{ "root=signed+absent", POLICY_ROOT, NONE, 0, NULL },
	{ "root=signed", POLICY_ROOT, NONE, 0, MISSING },
	{ "root=unused", POLICY_ROOT, NONE, 0, MISSING },
	{ "root=unused", POLICY_ROOT, WITH(POLICY_UNPROTECTED), 0, NULL },
	{ "-", POLICY_ROOT, WITH(POLICY_UNPROTECTED), 0, NULL },
	{ "-", POLICY_HOME, NONE, 0, NULL },
	{ "~", POLICY_ROOT, WITH(POLICY_SIGNED), 0, DENIED },
	{ "~", POLICY_ROOT, NONE, 0, NULL },
	{ "~", POLICY_ROOT_VERITY, WITH(POLICY_UNPROTECTED), 0, DENIED },
	{ "home=verity", POLICY_HOME, WITH(POLICY_UNPROTECTED), 0, DENIED },
	{ "home=verity", POLICY_HOME, NONE, 0, MISSING },
	/* policy.11 */
	{ "root=signed", POLICY_ROOT, WITH(POLICY_SIGNED), POLICY_SIGNED, NULL },
	{ "root=signed", POLICY_ROOT, WITH(POLICY_VERITY), 0, LACKS },
	{ "root=signed", POLICY_ROOT, WITH(POLICY_UNPROTECTED), 0, LACKS },
	{ "root=signed+unused", POLICY_ROOT, WITH(POLICY_UNPROTECTED), 0, LACKS },
	{ "root=verity", POLICY_ROOT, WITH(POLICY_SIGNED), POLICY_VERITY, NULL },
	{ "root=verity", POLICY_ROOT, WITH(POLICY_UNPROTECTED), 0, LACKS },
	{ "root=verity+signed", POLICY_ROOT, WITH(POLICY_SIGNED),
	  POLICY_VERITY | POLICY_SIGNED, NULL },
	{ "root=verity+signed", POLICY_ROOT, WITH(POLICY_VERITY), POLICY_VERITY, NULL },
	{ "root=unprotected", POLICY_ROOT, WITH(POLICY_SIGNED), POLICY_UNPROTECTED, NULL },
	{ "root=unprotected", POLICY_ROOT, WITH(POLICY_ENCRYPTED), 0, LACKS },
	{ "root=encrypted", POLICY_ROOT, WITH(POLICY_ENCRYPTED), POLICY_ENCRYPTED, NULL },
	{ "root=encrypted", POLICY_ROOT, WITH(POLICY_ENCRYPTED_WITH_INTEGRITY),
	  POLICY_ENCRYPTED | POLICY_ENCRYPTED_WITH_INTEGRITY, NULL },
	{ "root=encryptedwithintegrity", POLICY_ROOT, WITH(POLICY_ENCRYPTED), 0, LACKS },
	{ "root=encrypted", POLICY_ROOT, WITH(POLICY_SIGNED), 0, LACKS },
	/* verity and signature partitions */
	{ "root=signed", POLICY_ROOT_VERITY, WITH(POLICY_UNPROTECTED), POLICY_UNPROTECTED,
	  NULL },
	{ "root=signed", POLICY_ROOT_VERITY, NONE, 0, NULL },
	{ "root=signed:root-verity=unprotected", POLICY_ROOT_VERITY, NONE, 0, MISSING },
	{ "usr=verity", POLICY_USR_VERITY_SIG, WITH(POLICY_UNPROTECTED), 0, NULL },
	{ "usr=signed", POLICY_USR_VERITY_SIG, WITH(POLICY_UNPROTECTED),
	  POLICY_UNPROTECTED, NULL },
	{ "usr=verity:usr-verity-sig=absent", POLICY_USR_VERITY_SIG,
	  WITH(POLICY_UNPROTECTED), 0, DENIED },
	{ "root=signed+ext4", POLICY_ROOT_VERITY, WITH(POLICY_UNPROTECTED),
	  POLICY_UNPROTECTED, NULL },
	/* policy.12 */
	{ "root=open+read-only-on", POLICY_ROOT, WITH(POLICY_SIGNED), 0, READ_ONLY },
	{ "root=open+read-only-on",
	  POLICY_ROOT,
	  { true, POLICY_VERITY, true, false, NULL },
	  POLICY_VERITY | POLICY_UNPROTECTED,
	  NULL },
	{ "root=open+read-only-off",
	  POLICY_ROOT,
	  { true, POLICY_VERITY, true, false, NULL },
	  0,
	  READ_ONLY },
	{ "root=open+growfs-on", POLICY_ROOT, WITH(POLICY_SIGNED), 0, GROWFS },
	{ "root=open+growfs-off",
	  POLICY_ROOT,
	  { true, POLICY_VERITY, false, true, NULL },
	  0,
	  GROWFS },
	{ "root=ignore+read-only-on", POLICY_ROOT, WITH(POLICY_SIGNED), 0, NULL },
	{ "root=signed+read-only-on", POLICY_ROOT_VERITY, WITH(POLICY_UNPROTECTED), 0,
	  READ_ONLY },
	/* policy.13 */
	{ "root=open+erofs", POLICY_ROOT, WITH(POLICY_VERITY),
	  POLICY_VERITY | POLICY_UNPROTECTED, NULL },
	{ "root=open+squashfs+ext4", POLICY_ROOT, WITH(POLICY_VERITY), 0, FSTYPE },
	{ "root=open+squashfs",
	  POLICY_ROOT,
	  { true, POLICY_VERITY, false, false, NULL },
	  POLICY_VERITY | POLICY_UNPROTECTED,
	  NULL },
	{ "root=open",
	  POLICY_ROOT,
	  { true, POLICY_VERITY, false, false, "ntfs" },
	  POLICY_VERITY | POLICY_UNPROTECTED,
	  NULL },
	{ "root=open+btrfs",
	  POLICY_ROOT,
	  { true, POLICY_VERITY, false, false, "open" },
	  0,
	  FSTYPE },
};

START_TEST(image_is_judged) {
	const struct policy p = parse(checks[_i].text);
	const char *why = NULL;
	uint32_t usable = 0;
	int r;

	r = policy_check(&p, checks[_i].designator, &checks[_i].found, &usable, &why);
	ck_assert_msg(unit_same(why, checks[_i].why), "%s", why);
	ck_assert_int_eq(r, checks[_i].why ? -ERFKILL : 0);
	ck_assert_uint_eq(usable, checks[_i].usable);
}
END_TEST

START_TEST(use_is_told) {
	const struct policy p =
		parse("root=signed:usr=unused:home=ignore:srv=absent:=open");

	ck_assert_int_eq(policy_use(&p, POLICY_ROOT), POLICY_USE_YES);
	ck_assert_int_eq(policy_use(&p, POLICY_ROOT_VERITY), POLICY_USE_YES);
	ck_assert_int_eq(policy_use(&p, POLICY_USR), POLICY_USE_NO);
	ck_assert_int_eq(policy_use(&p, POLICY_HOME), POLICY_USE_NO);
	ck_assert_int_eq(policy_use(&p, POLICY_SRV), POLICY_USE_DENIED);
	ck_assert_int_eq(policy_use(&p, POLICY_VAR), POLICY_USE_YES);
}
END_TEST

int main(void) {
	Suite *s = suite_create("policy");
	TCase *t = tcase_create("policy");

	tcase_add_test(t, vectors_hold);
	tcase_add_test(t, length_is_bounded);
	tcase_add_test(t, designators_have_names);
	tcase_add_test(t, defaults_are_known);
	tcase_add_loop_test(t, limit_narrows, 0, ARRAY_SIZE(limits));
	tcase_add_loop_test(t, image_is_judged, 0, ARRAY_SIZE(checks));
	tcase_add_test(t, use_is_told);
	suite_add_tcase(s, t);
	return unit_run(s);
}

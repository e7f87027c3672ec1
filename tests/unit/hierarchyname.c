/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What may be a hierarchy, and what never (specs: hierarchy.2). */
#include "merge/hierarchyname.h"

#include "unit.h"

START_TEST(names_are_judged) {
	static const struct {
		const char *name, *why; /* the beginning of it, or NULL */
	} table[] = {
		{ "usr", NULL },
		{ "opt", NULL },
		{ "etc", NULL },
		{ "nix", NULL },
		{ "Site_1.0+x-y", NULL },
		{ "varia", NULL },
		{ "procs", NULL },
		{ "", "it is the root" },
		{ "a/b", "it is not directly below" },
		{ "/nix", "it is not directly below" },
		{ "nix/", "it is not directly below" },
		{ ".", "a name" },
		{ "..", "a name" },
		{ ".extra", "a name" },
		{ "a b", "a name" },
		{ "a:b", "a name" },
		{ "a\n", "a name" },
		{ "gr\xc3\xbcn", "a name" },
		{ "1234567890123456789012345678901234567890123456789012345678901234",
		  NULL },
		{ "12345678901234567890123456789012345678901234567890123456789012345",
		  "a name" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		const char *why = NULL;
		int r = hierarchy_name_check(table[i].name, &why);

		ck_assert_msg(r == (table[i].why ? -EINVAL : 0), "'%s': %d",
			      table[i].name, r);
		ck_assert_msg(!table[i].why || strncmp(why, table[i].why,
						       strlen(table[i].why)) == 0,
			      "'%s': %s", table[i].name, why);
	}
}
END_TEST

START_TEST(forbidden_ones_are_refused) {
	static const char *const expected[] = { "proc", "sys",	"dev", "run",  "tmp",
						"var",	"boot", "efi", "home", "root" };
	size_t n = 0;

	for (const char *name; (name = hierarchy_name_forbidden(n)); n++) {
		const char *why = NULL;

		ck_assert_str_eq(name, expected[n]);
		ck_assert_int_eq(hierarchy_name_check(name, &why), -EINVAL);
		ck_assert_ptr_nonnull(why);
	}
	ck_assert_uint_eq(n, ARRAY_SIZE(expected));
}
END_TEST

START_TEST(classes_have_theirs) {
	ck_assert_ptr_eq(hierarchy_name_class("usr"), &classes[CLASS_SYSEXT]);
	ck_assert_ptr_eq(hierarchy_name_class("opt"), &classes[CLASS_SYSEXT]);
	ck_assert_ptr_eq(hierarchy_name_class("etc"), &classes[CLASS_CONFEXT]);
	ck_assert_ptr_null(hierarchy_name_class("nix"));
}
END_TEST

int main(void) {
	const TTest *const tests[] = { names_are_judged, forbidden_ones_are_refused,
				       classes_have_theirs, NULL };

	return unit_main("hierarchyname", tests);
}

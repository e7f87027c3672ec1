/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Proves the names of architectures. */
#include "merge/architecture.h"

#include <sys/utsname.h>

#include "unit.h"

START_TEST(machines) {
	static const struct {
		const char *machine, *name;
	} cases[] = {
		{ "x86_64", "x86-64" },
		{ "i686", "x86" },
		{ "aarch64", "arm64" },
		{ "armv7l", "arm" },
		{ "armv7b", "arm-be" },
		{ "riscv64", "riscv64" },
		{ "ppc64le", "ppc64-le" },
		{ "s390x", "s390x" },
		{ "loongarch64", "loongarch64" },
		{ "sh4a", "sh" },
		{ "arceb", "arc-be" },
		{ "x86-64", NULL },
		{ "", NULL },
		{ "pdp11", NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *name = architecture_from_machine(cases[i].machine);

		ck_assert_msg(unit_same(name, cases[i].name), "%s", cases[i].machine);
		ck_assert(!name || architecture_is_known(name));
	}
}
END_TEST

/* Or this host could not merge anything that says what it is for. */
START_TEST(this_machine) {
	struct utsname u;

	ck_assert_int_eq(uname(&u), 0);
	ck_assert_ptr_nonnull(architecture_from_machine(u.machine));
}
END_TEST

START_TEST(secondaries) {
	static const struct {
		const char *name, *secondary;
	} cases[] = {
		{ "x86-64", "x86" }, { "arm64", "arm" }, { "s390x", "s390" },
		{ "ppc64", "ppc" },  { "x86", NULL },	 { "riscv64", NULL },
		{ "", NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *secondary = architecture_secondary(cases[i].name);

		ck_assert_msg(unit_same(secondary, cases[i].secondary), "%s",
			      cases[i].name);
		ck_assert(!secondary || architecture_is_known(secondary));
	}
}
END_TEST

/* UAPI.4 lists "native" and "any", but they name none. */
START_TEST(known) {
	static const char *const strange[] = { "",    "x86_64", "X86-64", "amd64",
					       "any", "native", "_any",	  "x86-64 " };

	ck_assert(architecture_is_known("x86-64"));
	ck_assert(architecture_is_known("arm64-be"));
	ck_assert(architecture_is_known("tilegx"));
	for (size_t i = 0; i < ARRAY_SIZE(strange); i++)
		ck_assert_msg(!architecture_is_known(strange[i]), "%s", strange[i]);
}
END_TEST

int main(void) {
	return unit_main("architecture", (const TTest *const[]){
						 machines,
						 this_machine,
						 secondaries,
						 known,
						 NULL,
					 });
}

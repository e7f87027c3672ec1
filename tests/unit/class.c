/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Proves the table of classes against UAPI.4, written down a second time. */
#include "merge/class.h"

#include <sys/mount.h>

#include "unit.h"

/* The list, each element followed by a colon. */
static void assert_list(const char *const *list, const char *expected) {
	char joined[256] = "";

	for (; *list; list++) {
		ck_assert_uint_lt(strlen(joined) + strlen(*list) + 2, sizeof(joined));
		strcat(strcat(joined, *list), ":");
		ck_assert_msg((*list)[0] != '/', "%s is not relative", *list);
	}
	ck_assert_str_eq(joined, expected);
}

START_TEST(sysext) {
	const struct class *c = class_find("sysext");

	ck_assert_ptr_eq(c, &classes[CLASS_SYSEXT]);
	ck_assert_int_eq(c->id, CLASS_SYSEXT);
	ck_assert_str_eq(c->suffix, ".sysext");
	ck_assert_str_eq(c->release_dir, "usr/lib/extension-release.d");
	ck_assert_str_eq(c->scope_key, "SYSEXT_SCOPE");
	ck_assert_str_eq(c->level_key, "SYSEXT_LEVEL");
	assert_list(c->hierarchies, "usr:opt:");
	assert_list(c->search, "etc/extensions:run/extensions:var/lib/extensions:");
	assert_list(c->search_initrd, "etc/extensions:run/extensions:var/lib/extensions:"
				      ".extra/sysext:.extra/global_sysext:");
	ck_assert_uint_eq(c->mount_attributes, MOUNT_ATTR_NODEV);
}
END_TEST

START_TEST(confext) {
	const struct class *c = class_find("confext");

	ck_assert_ptr_eq(c, &classes[CLASS_CONFEXT]);
	ck_assert_int_eq(c->id, CLASS_CONFEXT);
	ck_assert_str_eq(c->suffix, ".confext");
	ck_assert_str_eq(c->release_dir, "etc/extension-release.d");
	ck_assert_str_eq(c->scope_key, "CONFEXT_SCOPE");
	ck_assert_str_eq(c->level_key, "CONFEXT_LEVEL");
	assert_list(c->hierarchies, "etc:");
	assert_list(
		c->search,
		"run/confexts:var/lib/confexts:usr/local/lib/confexts:usr/lib/confexts:");
	assert_list(c->search_initrd,
		    "run/confexts:var/lib/confexts:usr/local/lib/confexts:usr/lib/confexts:"
		    ".extra/confext:.extra/global_confext:");
	ck_assert_uint_eq(c->mount_attributes,
			  MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
}
END_TEST

START_TEST(some_last) {
	ck_assert_str_eq(class_lasting(&classes[CLASS_SYSEXT]), "var/lib/extensions");
	ck_assert_str_eq(class_lasting(&classes[CLASS_CONFEXT]), "var/lib/confexts");
}
END_TEST

START_TEST(unknown) {
	static const char *const names[] = { "", "sys", "sysexts", "Sysext", ".sysext" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		ck_assert_ptr_null(class_find(names[i]));
}
END_TEST

int main(void) {
	return unit_main("class", (const TTest *const[]){ sysext, confext, some_last,
							  unknown, NULL });
}

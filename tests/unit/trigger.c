/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which files the system has to be told about (specs: hook.1), and which names a program is given (hook.4). */
#include "merge/trigger.h"

#include "merge/strv.h"
#include "scratch.h"
#include "unit.h"

/* Makes the file, and all directories above it. */
static void put(const char *path) {
	_cleanup_free_ char *copy = strdup(path);

	for (char *s = strchr(copy, '/'); s; s = strchr(s + 1, '/')) {
		*s = '\0';
		(void)mkdirat(scratch_fd, copy, 0755);
		*s = '/';
	}
	scratch_write(path, "x");
}

static unsigned look(const char *hierarchy) {
	_cleanup_close_ int fd = scratch_open(hierarchy, O_PATH | O_DIRECTORY);

	return trigger_look(fd, hierarchy);
}

START_TEST(files_are_found) {
	static const struct {
		const char *path;
		int trigger; /* -1: none */
	} table[] = {
		{ "usr/bin/x", -1 },
		{ "usr/lib/extension-release.d/extension-release.x", -1 },
		{ "usr/lib/sysusers.d/x.txt", -1 },
		{ "usr/lib/sysusers.d/.x.conf", -1 },
		{ "usr/lib/private/x.so", -1 },
		{ "usr/lib/libx.so.1.2", TRIGGER_LIBRARIES },
		{ "usr/lib64/libx.so", TRIGGER_LIBRARIES },
		{ "usr/local/lib/libx.so", TRIGGER_LIBRARIES },
		{ "usr/lib/x86_64-linux-gnu/libx.so.1", TRIGGER_LIBRARIES },
		{ "usr/lib/sysusers.d/x.conf", TRIGGER_USERS },
		{ "usr/lib/modules-load.d/x.conf", TRIGGER_MODULES },
		{ "usr/lib/sysctl.d/x.conf", TRIGGER_SYSCTL },
		{ "usr/lib/tmpfiles.d/x.conf", TRIGGER_TMPFILES },
		{ "usr/lib/udev/rules.d/60-x.rules", TRIGGER_UDEV },
		{ "usr/share/dbus-1/system.d/x.conf", TRIGGER_BUS },
		{ "usr/lib/systemd/system/x.service", TRIGGER_UNITS },
		{ "usr/lib/systemd/system/a.target.wants/x.service", TRIGGER_UNITS },
		{ "etc/hosts", -1 },
		{ "etc/systemd/system.conf", -1 },
		{ "etc/ld.so.conf.d/x.conf", TRIGGER_LIBRARIES },
		{ "etc/sysusers.d/x.conf", TRIGGER_USERS },
		{ "etc/dbus-1/system.d/x.conf", TRIGGER_BUS },
		{ "etc/systemd/system/x.service", TRIGGER_UNITS },
		{ "opt/lib/sysusers.d/x.conf", -1 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		char hierarchy[4] = { 0 };

		scratch_setup();
		memcpy(hierarchy, table[i].path, 3);
		put(table[i].path);
		ck_assert_msg(look(hierarchy) == (table[i].trigger < 0
							  ? 0
							  : TRIGGER_BIT(table[i].trigger)),
			      "%s", table[i].path);
		scratch_teardown();
	}
}
END_TEST

/* A layer may carry links, which lead nowhere here. */
START_TEST(links_are_not_followed) {
	scratch_setup();
	put("elsewhere/x.conf");
	put("usr/lib/x");
	scratch_link("../../elsewhere", "usr/lib/sysusers.d");
	scratch_link("/usr/lib/systemd", "usr/lib/systemd");
	ck_assert_uint_eq(look("usr"), 0);
	scratch_teardown();
}
END_TEST

START_TEST(names_are_harmless) {
	_cleanup_strv_ char **names = NULL;
	int fd;

	scratch_setup();
	put("usr/lib/tmpfiles.d/a_1.2@b:c+d-e.conf");
	put("usr/lib/tmpfiles.d/-x.conf");
	put("usr/lib/tmpfiles.d/--root=.conf");
	put("usr/lib/tmpfiles.d/a b.conf");
	put("usr/lib/tmpfiles.d/$x.conf");
	put("usr/lib/tmpfiles.d/\xc3\xa4.conf");
	put("usr/lib/sysusers.d/other.conf");
	fd = scratch_open("usr", O_PATH | O_DIRECTORY);
	ck_assert_int_eq(trigger_names(fd, "usr", TRIGGER_TMPFILES, &names), 0);
	ck_assert_int_eq(trigger_names(fd, "usr", TRIGGER_TMPFILES, &names), 0);
	ck_assert_uint_eq(strv_length(names), 1);
	ck_assert_str_eq(names[0], "a_1.2@b:c+d-e.conf");
	close(fd);
	scratch_teardown();
}
END_TEST

START_TEST(words_come_back) {
	for (unsigned bits = 0; bits < TRIGGER_BIT(TRIGGER_COUNT); bits++) {
		_cleanup_free_ char *words = trigger_words(bits);

		ck_assert_ptr_nonnull(words);
		ck_assert_uint_eq(trigger_from_words(words), bits);
	}
	ck_assert_uint_eq(trigger_from_words(NULL), 0);
	ck_assert_uint_eq(trigger_from_words("user future  bus"),
			  TRIGGER_BIT(TRIGGER_BUS));
	for (int t = 0; t < TRIGGER_COUNT; t++)
		ck_assert_uint_eq(trigger_from_words(trigger_word((enum trigger)t)),
				  TRIGGER_BIT(t));
}
END_TEST

int main(void) {
	return unit_main("trigger", (const TTest *const[]){
					    files_are_found, links_are_not_followed,
					    names_are_harmless, words_come_back, NULL });
}

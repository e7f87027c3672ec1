/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the kernel's command line switches off (specs: boot.1), and whether a boot goes to default.target (hook.7). */
#include "merge/bootswitch.h"

#include "unit.h"

START_TEST(switches) {
	static const struct {
		const char *line;
		bool is_off, is_off_in_initrd;
	} table[] = {
		{ "", false, false },
		{ "quiet extmerge=0", true, false },
		{ "extmerge=0\n", true, false },
		{ "rd.extmerge=0", false, true },
		{ "rd.extmerge=no extmerge=off", true, true },
		{ "extmerge=0 extmerge=1", false, false },
		{ "extmerge=1 extmerge=false", true, false },
		{ "extmerge", false, false },
		{ "extmerge=", false, false },
		{ "extmerge=00", false, false },
		{ "extmerge=yes", false, false },
		{ "extmerge.x=0 xextmerge=0", false, false },
		{ "x=\"a extmerge=0\"", false, false },
		{ "x=\"a b\" extmerge=0", true, false },
		{ "rd.rd.extmerge=0", false, false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		ck_assert_msg(bootswitch_is_off(table[i].line, "extmerge", false) ==
				      table[i].is_off,
			      "%s", table[i].line);
		ck_assert_msg(bootswitch_is_off(table[i].line, "extmerge", true) ==
				      table[i].is_off_in_initrd,
			      "%s", table[i].line);
	}
	ck_assert(bootswitch_is_off("systemd.sysext=0", "systemd.sysext", false));
	ck_assert(!bootswitch_is_off("systemd.sysext=0", "systemd.confext", false));
}
END_TEST

START_TEST(targets) {
	static const char *const others[] = { "quiet single",
					      "rescue",
					      "x emergency y",
					      "systemd.unit=rescue.target",
					      "1",
					      "-b",
					      "ro\n3\n" };
	static const char *const none[] = { "", "quiet ro root=/dev/sda1",
					    "rd.systemd.unit=x.target", "singles=1",
					    "console=tty1" };

	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		ck_assert_msg(!bootswitch_is_default(others[i]), "%s", others[i]);
	for (size_t i = 0; i < ARRAY_SIZE(none); i++)
		ck_assert_msg(bootswitch_is_default(none[i]), "%s", none[i]);
}
END_TEST

START_TEST(line_is_read) {
	_cleanup_free_ char *line = bootswitch_read();

	ck_assert_ptr_nonnull(line);
}
END_TEST

int main(void) {
	return unit_main("bootswitch",
			 (const TTest *const[]){ switches, targets, line_is_read, NULL });
}

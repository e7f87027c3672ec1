/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which programs run for which calls, in which order, at boot and later (specs: hook.2, hook.6, hook.7). */
#include "merge/hookplan.h"

#include "merge/strv.h"
#include "merge/text.h"
#include "unit.h"

/* Every call there is, as text: "t" is a trigger's names, and units are in three lists. */
struct call {
	const char *triggers, *names, *restart, *reload, *stop;
	bool has_come, starts_default;
};

static void append(char ***v, const char *text) {
	if (text)
		ck_assert_int_eq(strv_append(v, text), 0);
}

/* All commands, joined: "users: systemd-sysusers a.conf; units: ..."; a condition is a mark in front. */
static char *plan(const struct call *call, enum manager m, enum boot_stage stage) {
	static const char *const marks[] = {
		[HOOK_ALWAYS] = "", [HOOK_IF_ABSENT] = "?", [HOOK_IF_FAILED] = "!"
	};
	struct hook_calls c = { .triggers = trigger_from_words(call->triggers),
				.has_come = call->has_come,
				.starts_default = call->starts_default };
	struct hook_commands commands;
	char *all = strdup("");

	for (size_t t = 0; call->names && t < TRIGGER_COUNT; t++)
		append(&c.names[t], call->names);
	append(&c.restart, call->restart);
	append(&c.reload, call->reload);
	append(&c.stop, call->stop);
	ck_assert_int_eq(hookplan_make(&c, m, stage, &commands), 0);
	for (size_t i = 0; i < commands.n; i++) {
		const struct hook_command *command = &commands.items[i];
		_cleanup_free_ char *words = NULL;
		char *longer;

		ck_assert_ptr_nonnull(command->paths[0]);
		ck_assert_int_eq(text_join(" ", (const char *const *)command->arguments,
					   strv_length(command->arguments), &words),
				 0);
		longer = text_format("%s%s%s%s", all, *all ? "; " : "",
				     marks[command->condition], words);
		free(all);
		all = longer;
	}
	hook_commands_done(&commands);
	hook_calls_done(&c);
	return all;
}

#define BUS                                                                         \
	"dbus-send --system --type=method_call --dest=org.freedesktop.DBus "        \
	"/org/freedesktop/DBus org.freedesktop.DBus.ReloadConfig; ?busctl --quiet " \
	"call org.freedesktop.DBus /org/freedesktop/DBus org.freedesktop.DBus "     \
	"ReloadConfig"
#define FILES "systemd-sysusers a; systemd-modules-load a; systemd-sysctl a"
#define UDEV "udevadm control --reload; udevadm trigger --action=change"

static const struct {
	struct call call;
	enum manager manager;
	enum boot_stage stage;
	const char *wanted;
} table[] = {
	{ { .triggers = "" }, MANAGER_SYSTEMD, BOOT_NO, "" },
	{ { .triggers = "users modules sysctl tmpfiles udev bus", .names = "a" },
	  MANAGER_NONE,
	  BOOT_NO,
	  FILES "; systemd-tmpfiles --create a; " UDEV "; " BUS },
	{ { .triggers = "users modules sysctl tmpfiles udev bus" },
	  MANAGER_NONE,
	  BOOT_NO,
	  UDEV "; " BUS },
	{ { .triggers = "users modules sysctl tmpfiles udev bus units", .names = "a" },
	  MANAGER_NONE,
	  BOOT_EARLY,
	  "" },
	{ { .triggers = "users modules sysctl tmpfiles udev bus units",
	    .names = "a",
	    .has_come = true },
	  MANAGER_NONE,
	  BOOT_EARLY,
	  "systemd-sysusers a" },
	{ { .triggers = "users modules sysctl tmpfiles udev bus",
	    .names = "a",
	    .has_come = true },
	  MANAGER_NONE,
	  BOOT_LATE,
	  FILES "; " UDEV },
	{ { .triggers = "libraries" }, MANAGER_SYSTEMD, BOOT_NO, "" },
	{ { .triggers = "units" }, MANAGER_SYSTEMD, BOOT_NO, "systemctl daemon-reload" },
	{ { .triggers = "manager" }, MANAGER_SYSTEMD, BOOT_NO, "systemctl daemon-reload" },
	{ { .triggers = "units manager" }, MANAGER_OPENRC, BOOT_NO, "" },
	{ { .triggers = "",
	    .restart = "a.service",
	    .reload = "b.service",
	    .stop = "c.service",
	    .has_come = true },
	  MANAGER_SYSTEMD,
	  BOOT_NO,
	  "systemctl daemon-reload; systemctl --no-ask-password stop c.service; "
	  "systemctl --no-ask-password restart a.service; "
	  "systemctl --no-ask-password reload-or-restart b.service" },
	{ { .triggers = "units",
	    .restart = "a.service",
	    .has_come = true,
	    .starts_default = true },
	  MANAGER_SYSTEMD,
	  BOOT_EARLY,
	  "systemctl daemon-reload; "
	  "systemctl --no-ask-password --no-block restart a.service; "
	  "systemctl --no-ask-password --no-block start default.target" },
	{ { .triggers = "units", .has_come = true },
	  MANAGER_SYSTEMD,
	  BOOT_LATE,
	  "systemctl daemon-reload" },
	{ { .triggers = "",
	    .restart = "a.service",
	    .has_come = true,
	    .starts_default = true },
	  MANAGER_SYSTEMD,
	  BOOT_EARLY,
	  "systemctl daemon-reload; "
	  "systemctl --no-ask-password --no-block restart a.service" },
	{ { .triggers = "units", .stop = "a.service", .starts_default = true },
	  MANAGER_SYSTEMD,
	  BOOT_LATE,
	  "" },
	{ { .triggers = "",
	    .restart = "a.service",
	    .reload = "b.service",
	    .stop = "c.service" },
	  MANAGER_OPENRC,
	  BOOT_NO,
	  "rc-service --ifstarted c stop; rc-service --ifexists a restart; "
	  "rc-service --ifexists b reload; !rc-service --ifexists b restart" },
	{ { .triggers = "",
	    .restart = "a.service",
	    .reload = "b.service",
	    .stop = "c.service" },
	  MANAGER_RUNIT,
	  BOOT_NO,
	  "sv -w 20 stop c; sv -w 20 restart a; sv -w 20 reload b; !sv -w 20 restart b" },
	{ { .triggers = "", .restart = "a.socket", .reload = "b@c.service" },
	  MANAGER_OPENRC,
	  BOOT_NO,
	  "" },
	{ { .triggers = "", .restart = "a.service" }, MANAGER_OPENRC, BOOT_EARLY, "" },
	{ { .triggers = "", .restart = "a.service" }, MANAGER_RUNIT, BOOT_LATE, "" },
	{ { .triggers = "", .restart = "a.service" }, MANAGER_NONE, BOOT_NO, "" },
};

START_TEST(plans) {
	_cleanup_free_ char *made = plan(&table[_i].call, table[_i].manager,
					 table[_i].stage);

	ck_assert_str_eq(made, table[_i].wanted);
}
END_TEST

int main(void) {
	Suite *suite = suite_create("hookplan");
	TCase *tcase = tcase_create("plans");

	tcase_add_loop_test(tcase, plans, 0, ARRAY_SIZE(table));
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}

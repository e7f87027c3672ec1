/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which programs have to run after a change. */
#include "hookplan.h"

#include <string.h>

#include "strv.h"
#include "unitlist.h"

#define PROGRAM(name) \
	{ "/usr/bin/" name, "/usr/sbin/" name, "/bin/" name, "/sbin/" name, NULL }
#define SYSTEMD_PROGRAM(name) \
	{ "/usr/lib/systemd/" name, "/lib/systemd/" name, NULL }

static const char *const sysusers[] = PROGRAM("systemd-sysusers");
static const char *const modules_load[] = SYSTEMD_PROGRAM("systemd-modules-load");
static const char *const sysctl[] = SYSTEMD_PROGRAM("systemd-sysctl");
static const char *const tmpfiles[] = PROGRAM("systemd-tmpfiles");
static const char *const udevadm[] = PROGRAM("udevadm");
static const char *const dbus_send[] = PROGRAM("dbus-send");
static const char *const busctl[] = PROGRAM("busctl");
static const char *const systemctl[] = PROGRAM("systemctl");
static const char *const rc_service[] = PROGRAM("rc-service");
static const char *const sv[] = PROGRAM("sv");

/* When a row runs (hook.7), as bits. */
#define AT(stage) (1U << (stage))
#define RUNNING AT(BOOT_NO)
#define RUNNING_OR_LATE (AT(BOOT_NO) | AT(BOOT_LATE))
#define ALWAYS (RUNNING_OR_LATE | AT(BOOT_EARLY))

/* hook.2: one row for each program, in the order in which they run. */
static const struct row {
	enum trigger trigger;
	const char *const *paths;
	const char *arguments[8];
	unsigned stages;
	bool takes_names; /* of the files that came, and does not run where none did */
	const char *needs;
	enum hook_condition condition;
} rows[] = {
	{ .trigger = TRIGGER_USERS,
	  .paths = sysusers,
	  .arguments = { "systemd-sysusers" },
	  .stages = ALWAYS, /* systemd itself runs it only after an update of the system */
	  .takes_names = true },
	{ .trigger = TRIGGER_MODULES,
	  .paths = modules_load,
	  .arguments = { "systemd-modules-load" },
	  .stages = RUNNING_OR_LATE,
	  .takes_names = true },
	{ .trigger = TRIGGER_SYSCTL,
	  .paths = sysctl,
	  .arguments = { "systemd-sysctl" },
	  .stages = RUNNING_OR_LATE,
	  .takes_names = true },
	{ .trigger = TRIGGER_TMPFILES,
	  .paths = tmpfiles,
	  .arguments = { "systemd-tmpfiles", "--create" },
	  .stages = RUNNING,
	  .takes_names = true },
	{ .trigger = TRIGGER_UDEV,
	  .paths = udevadm,
	  .arguments = { "udevadm", "control", "--reload" },
	  .stages = RUNNING_OR_LATE,
	  .needs = "/run/udev/control" },
	{ .trigger = TRIGGER_UDEV,
	  .paths = udevadm,
	  .arguments = { "udevadm", "trigger", "--action=change" },
	  .stages = RUNNING_OR_LATE,
	  .needs = "/run/udev/control" },
	{ .trigger = TRIGGER_BUS,
	  .paths = dbus_send,
	  .arguments = { "dbus-send", "--system", "--type=method_call",
			 "--dest=org.freedesktop.DBus", "/org/freedesktop/DBus",
			 "org.freedesktop.DBus.ReloadConfig" },
	  .stages = RUNNING,
	  .needs = "/run/dbus/system_bus_socket" },
	{ .trigger = TRIGGER_BUS,
	  .paths = busctl,
	  .arguments = { "busctl", "--quiet", "call", "org.freedesktop.DBus",
			 "/org/freedesktop/DBus", "org.freedesktop.DBus", "ReloadConfig" },
	  .stages = RUNNING,
	  .needs = "/run/dbus/system_bus_socket",
	  .condition = HOOK_IF_ABSENT },
};

/* What the words of a command begin with. */
struct words {
	const char *const *paths;
	const char *words[6];
};

static int add(struct hook_commands *to, const char *name, const char *const *paths,
	       const char *const *arguments, char *const *more) {
	struct hook_command *grown = reallocarray(to->items, to->n + 1, sizeof(*grown));
	int r = 0;

	if (!grown)
		return -ENOMEM;
	to->items = grown;
	grown += to->n++;
	*grown = (struct hook_command){ .name = name, .paths = paths };
	for (; r == 0 && *arguments; arguments++)
		r = strv_append(&grown->arguments, *arguments);
	for (; r == 0 && more && *more; more++)
		r = strv_append(&grown->arguments, *more);
	return r;
}

static bool has(const struct hook_calls *c, enum trigger t) {
	return c->triggers & TRIGGER_BIT(t);
}

static int add_row(const struct hook_calls *c, const struct row *row,
		   enum boot_stage stage, struct hook_commands *to) {
	int r;

	if (!has(c, row->trigger) || !(row->stages & AT(stage)) ||
	    (row->takes_names && !c->names[row->trigger]) ||
	    (stage != BOOT_NO && !c->has_come))
		return 0;
	r = add(to, trigger_word(row->trigger), row->paths, row->arguments,
		row->takes_names ? c->names[row->trigger] : NULL);
	if (r == 0) {
		to->items[to->n - 1].needs = row->needs;
		to->items[to->n - 1].condition = row->condition;
	}
	return r;
}

/* systemctl with units behind it. At boot nobody can wait: what is started may come after us (hook.7). */
static int add_systemctl(const char *verb, char *const *units, enum boot_stage stage,
			 struct hook_commands *to) {
	const char *const waiting[] = { "systemctl", "--no-ask-password", verb, NULL };
	const char *const no_wait[] = { "systemctl", "--no-ask-password", "--no-block",
					verb, NULL };

	return units ? add(to, "units", systemctl, stage == BOOT_NO ? waiting : no_wait,
			   units)
		     : 0;
}

/* hook.6 */
static int add_systemd(const struct hook_calls *c, enum boot_stage stage,
		       struct hook_commands *to) {
	static const char *const reload[] = { "systemctl", "daemon-reload", NULL };
	char *const target[] = { (char *)"default.target", NULL };
	const bool has_units = has(c, TRIGGER_UNITS) || has(c, TRIGGER_MANAGER);
	int r = 0;

	if (stage != BOOT_NO && !c->has_come)
		return 0;
	if (has_units || c->restart || c->reload || c->stop)
		r = add(to, "units", systemctl, reload, NULL);
	if (r == 0)
		r = add_systemctl("stop", c->stop, stage, to);
	if (r == 0)
		r = add_systemctl("restart", c->restart, stage, to);
	if (r == 0)
		r = add_systemctl("reload-or-restart", c->reload, stage, to);
	if (r == 0 && stage != BOOT_NO && has_units && c->starts_default)
		r = add_systemctl("start", target, stage, to);
	return r;
}

/* One command for each service, as others than systemd want it. */
static int add_services(char *const *units, const struct words *w,
			enum hook_condition condition, struct hook_commands *to) {
	int r = 0;

	for (; r == 0 && units && *units; units++) {
		_cleanup_free_ char *service = unitlist_service(*units, &r);
		const char *arguments[ARRAY_SIZE(w->words) + 1] = { NULL };

		if (!service)
			continue;
		for (size_t i = 0; i < ARRAY_SIZE(w->words) && w->words[i]; i++)
			arguments[i] = strcmp(w->words[i], "%s") == 0 ? service
								      : w->words[i];
		r = add(to, "units", w->paths, arguments, NULL);
		if (r == 0)
			to->items[to->n - 1].condition = condition;
	}
	return r;
}

/* What is reloaded, and restarted where it cannot: the two belong together, service by service. */
static int add_reloads(char *const *units, const struct words *reload,
		       const struct words *restart, struct hook_commands *to) {
	int r = 0;

	for (; r == 0 && units && *units; units++) {
		char *const one[] = { *units, NULL };

		r = add_services(one, reload, HOOK_ALWAYS, to);
		if (r == 0)
			r = add_services(one, restart, HOOK_IF_FAILED, to);
	}
	return r;
}

static int add_openrc(const struct hook_calls *c, struct hook_commands *to) {
	static const struct words
		stop = { rc_service, { "rc-service", "--ifstarted", "%s", "stop" } },
		restart = { rc_service, { "rc-service", "--ifexists", "%s", "restart" } },
		reload = { rc_service, { "rc-service", "--ifexists", "%s", "reload" } };
	int r = add_services(c->stop, &stop, HOOK_ALWAYS, to);

	if (r == 0)
		r = add_services(c->restart, &restart, HOOK_ALWAYS, to);
	return r < 0 ? r : add_reloads(c->reload, &reload, &restart, to);
}

static int add_runit(const struct hook_calls *c, struct hook_commands *to) {
	static const struct words stop = { sv, { "sv", "-w", "20", "stop", "%s" } },
				  restart = { sv, { "sv", "-w", "20", "restart", "%s" } },
				  reload = { sv, { "sv", "-w", "20", "reload", "%s" } };
	int r = add_services(c->stop, &stop, HOOK_ALWAYS, to);

	if (r == 0)
		r = add_services(c->restart, &restart, HOOK_ALWAYS, to);
	return r < 0 ? r : add_reloads(c->reload, &reload, &restart, to);
}

/* Others than systemd have not started anything at boot, and will. */
static int add_manager(const struct hook_calls *c, enum manager m, enum boot_stage stage,
		       struct hook_commands *to) {
	switch (m) {
	case MANAGER_SYSTEMD:
		return add_systemd(c, stage, to);
	case MANAGER_OPENRC:
		return stage == BOOT_NO ? add_openrc(c, to) : 0;
	case MANAGER_RUNIT:
		return stage == BOOT_NO ? add_runit(c, to) : 0;
	case MANAGER_NONE:
		break;
	}
	return 0;
}

int hookplan_make(const struct hook_calls *c, enum manager m, enum boot_stage stage,
		  struct hook_commands *ret) {
	int r = 0;

	*ret = (struct hook_commands){ 0 };
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(rows); i++)
		r = add_row(c, &rows[i], stage, ret);
	return r < 0 ? r : add_manager(c, m, stage, ret);
}

void hook_commands_done(struct hook_commands *c) {
	for (size_t i = 0; i < c->n; i++)
		strv_free(c->items[i].arguments);
	free(c->items);
}

void hook_calls_done(struct hook_calls *c) {
	for (size_t t = 0; t < TRIGGER_COUNT; t++)
		strv_free(c->names[t]);
	strv_free(c->restart);
	strv_free(c->reload);
	strv_free(c->stop);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which programs have to run after a change, and with which arguments. Pure (specs: hook.2, hook.6, hook.7). */
#pragma once

#include "bootswitch.h"
#include "trigger.h"

/* Who starts services here. */
enum manager { MANAGER_NONE, MANAGER_SYSTEMD, MANAGER_OPENRC, MANAGER_RUNIT };

/* What the changed layers ask for. Lists are strv, NULL where empty. */
struct hook_calls {
	unsigned triggers;	     /* bits */
	char **names[TRIGGER_COUNT]; /* files that came, of triggers whose programs take names */
	char **restart,
		**reload; /* units; `reload` are restarted where they cannot be reloaded */
	char **stop;	  /* units of which no file is left */
	bool has_come;	  /* something was added or changed, not only taken away */
	bool starts_default; /* at boot: it goes to default.target */
};

enum hook_condition {
	HOOK_ALWAYS,
	HOOK_IF_ABSENT, /* only where the program of the command before is not there */
	HOOK_IF_FAILED, /* only where the command before has failed, which is then no matter */
};

/* One program. */
struct hook_command {
	const char *name;	  /* of the hook: "users" */
	const char *const *paths; /* where the program may be, best first */
	const char *needs; /* what is there where somebody listens, or NULL; otherwise it is not run */
	enum hook_condition condition;
	char **arguments; /* strv, owned; the first is the program's name */
};

struct hook_commands {
	struct hook_command *items;
	size_t n;
};

/* 0 or -ENOMEM; *ret is to be ended in any case. */
int hookplan_make(const struct hook_calls *c, enum manager m, enum boot_stage stage,
		  struct hook_commands *ret);

void hook_commands_done(struct hook_commands *c);
void hook_calls_done(struct hook_calls *c);

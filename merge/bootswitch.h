/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* When in the life of the system we run, and what the kernel's command line says about it (specs: boot.1, hook.7). */
#pragma once

#include "base.h"

/* When in the life of the system we run (hook.7). */
enum boot_stage {
	BOOT_NO,
	BOOT_EARLY, /* before all that reads sysusers.d, sysctl.d, udev's rules and so on */
	BOOT_LATE, /* after some of it, and before the services */
};

/*
 * Whether `name` is switched off: its last assignment in the command line is "0", "no", "off", "false", "n" or "f". With
 * `is_initrd` it is the assignment to "rd.NAME" that counts.
 */
bool bootswitch_is_off(const char *command_line, const char *name, bool is_initrd);

/* Whether the boot goes to default.target, as nothing in the command line asks systemd for another one. */
bool bootswitch_is_default(const char *command_line);

/* The kernel's command line, of at most 64 KiB; "" where it cannot be read. NULL where memory ran out. Reads /proc. */
char *bootswitch_read(void);

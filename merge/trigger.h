/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What of a layer somebody has to be told about: files that the system has read already, or that package managers run
 * programs for (specs: hook.1). One row for each pattern of paths.
 */
#pragma once

#include "base.h"

enum trigger {
	TRIGGER_LIBRARIES,
	TRIGGER_USERS,
	TRIGGER_MODULES,
	TRIGGER_SYSCTL,
	TRIGGER_TMPFILES,
	TRIGGER_UDEV,
	TRIGGER_BUS,
	TRIGGER_UNITS,
	TRIGGER_MANAGER, /* no file, but EXTENSION_RELOAD_MANAGER= */
	TRIGGER_COUNT,
};

#define TRIGGER_BIT(t) (1U << (t))

/*
 * Which of them the layer with the root `fd` touches in the hierarchy "usr", as bits. What cannot be read does not
 * count. Pure of side effects, but it reads directories.
 */
unsigned trigger_look(int fd, const char *hierarchy);

/*
 * Adds the names of the files that the trigger is about, for programs that take names: "tool.conf". Only those of
 * which a program takes no harm: letters, digits and "_.@:+-", and no '-' in front. 0 or -ENOMEM.
 */
int trigger_names(int fd, const char *hierarchy, enum trigger t, char ***names);

/* Whether it is such a name. */
bool trigger_is_name(const char *name);

/* "libraries users"; the caller owns it. NULL where memory ran out. And back: unknown words are ignored. */
char *trigger_words(unsigned bits);
unsigned trigger_from_words(const char *text);
const char *trigger_word(enum trigger t);

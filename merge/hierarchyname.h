/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which directories may be hierarchies beside those of the classes. Pure (specs: hierarchy.*). */
#pragma once

#include "class.h"

#define HIERARCHY_NAME_MAX 64 /* bytes */
#define HIERARCHIES_MAX 16    /* those of the classes among them */

/* 0 for a name ("nix") that may be one, also of a class; or -EINVAL with *ret_why, the end of "/nix cannot be one: it ...". */
int hierarchy_name_check(const char *name, const char **ret_why);

/* The class that has it by UAPI.4, or NULL. */
const struct class *hierarchy_name_class(const char *name);

/* The i-th of the directories that no hierarchy may be, lead to, or lie in; NULL behind the last one. */
const char *hierarchy_name_forbidden(size_t i);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files of hooks have in common. */
#pragma once

#include "class.h"
#include "hooks.h"

/*
 * hook.3: whether anything is run at all. Below another root nothing is, as its programs are not this system's; what only a
 * service sees is its own affair.
 */
bool hooks_are_for(const struct route *r);

/* Of which classes they are wanted; unmerge has not read the settings before it changed something (config.7). */
void hooks_read_settings(struct route *r, bool ret_wanted[static CLASS_COUNT]);

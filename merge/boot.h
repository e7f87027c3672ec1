/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A run at boot: who has switched it off (specs: boot.1). */
#pragma once

#include "options.h"

/*
 * With --boot, takes the classes away that the kernel's command line has switched off. *ret_done is set where nothing is
 * left to do, which is said. Without --boot does nothing.
 */
enum exit_code boot_prepare(struct options *o, bool *ret_done);

/* "early" or "late". 0 or -EINVAL. */
int boot_stage_from(const char *word, enum boot_stage *ret);

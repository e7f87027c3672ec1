/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where programs of other packages are. */
#pragma once

#include "base.h"

/*
 * The path of the program `name` in bin and sbin of /usr, / and /usr/local, in this order, whatever PATH is; NULL
 * where there is none, or memory ran out. The caller owns it.
 */
char *program_find(const char *name);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* extmerge --help. */
#pragma once

#include "verbs/verbs.h"

/* What there is, on stdout: all of it, or the options of one verb. `verbs` ends with NULL. */
void help_print(const struct verb *const *verbs, const struct verb *one);

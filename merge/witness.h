/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a merged tree is asked for, to prove that all that belongs into it is there (specs: switch.5). */
#pragma once

#include "layer.h"

/*
 * Whether the tree `fd` shows the host's layer and every layer of `h`, by the files that were kept for it. 0; -EXDEV and
 * *ret_why, an owned sentence (or NULL), where one is missing.
 */
int witness_check(int fd, const struct hierarchy *h, char **ret_why);

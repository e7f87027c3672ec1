/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who keeps files of a mount open for writing, as far as /proc shows it. */
#pragma once

#include "base.h"

/*
 * How many files are open for writing by the mount that `fd` is on, over all processes that can be seen; *ret_first is then
 * one of their owners, "nginx (123)", which the caller owns, or NULL. Or a negative errno.
 */
int holders_count(int fd, char **ret_first);

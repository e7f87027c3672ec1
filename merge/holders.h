/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who keeps files of a file system open for writing, as far as /proc shows it. */
#pragma once

#include "base.h"

/*
 * How many files are open for writing on the file system whose root directory `fd` is, by any mount of it in any namespace
 * that a process is in, over all processes that can be seen; *ret_first is then one of their owners with its file, "nginx
 * (123): /etc/state", which the caller owns, or NULL. Or a negative errno.
 */
int holders_count(int fd, char **ret_first);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a tree of systemd-sysext or systemd-confext says is in it (specs: adopt.2). Pure. */
#pragma once

#include "base.h"

/*
 * The names of extensions in a file in its root, one on a line, as an owned list (strv). 0; -EBADMSG where there are none, or
 * what are no names of files; or -ENOMEM.
 */
int peernames_parse(const char *text, size_t len, char ***ret);

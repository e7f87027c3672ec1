/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Asking a person at a terminal for a passphrase. */
#pragma once

#include "base.h"

/*
 * Asks on the process's terminal, whatever stdin and stderr are; nothing that is typed is shown. Returns the number of
 * bytes written to `ret`, at most `size`, without the line's end; -ENXIO where there is no terminal; -ECANCELED
 * after Ctrl-C or where the line ended without anything; or another negative errno.
 */
int passphrase_ask(const char *question, char *ret, size_t size);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Names of units or services, as a release file lists them. Pure (specs: hook.6). */
#pragma once

#include "base.h"

/*
 * Adds the names in `text`, which blanks part, to *names (strv), each once. What is no name of a unit goes to *bad: it
 * has other characters than letters, digits and ":-_.\@", begins with '-' or '.', is longer than 255 bytes, or does
 * not end in a type of units. 0 or -ENOMEM.
 */
int unitlist_add(const char *text, char ***names, char ***bad);

/*
 * What others than systemd call the unit: "nginx" for "nginx.service". NULL where the unit is of a kind that only
 * systemd has, or an instance ("x@y.service"); otherwise the caller owns it. *ret_error is -ENOMEM or 0.
 */
char *unitlist_service(const char *unit, int *ret_error);

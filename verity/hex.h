/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Bytes as hexadecimal text, as root hashes and fingerprints are written. Pure. */
#pragma once

#include "../merge/base.h"

/*
 * Decodes `len` digits, two for each byte, into `ret`, which has room for len / 2. With `lower`, A to F
 * are no digits. 0, or -EINVAL for an odd length or for anything that is no digit; `ret` may then be
 * half written.
 */
int hex_decode(const char *text, size_t len, bool lower, uint8_t *ret);

/* Writes 2 * len digits in lower case and a NUL. */
void hex_encode(const uint8_t *bytes, size_t len, char *ret);

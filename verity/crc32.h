/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The checksum of partition tables (UEFI 5.3: CRC-32 of ISO 3309). Pure. */
#pragma once

#include "../merge/base.h"

/*
 * Goes on with `crc` over `len` bytes. It begins with UINT32_MAX, and the checksum is the complement of
 * what comes out at the end.
 */
uint32_t crc32_add(uint32_t crc, const uint8_t *p, size_t len);

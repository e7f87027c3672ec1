/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which libcryptsetup is loaded. */
#include "libcryptsetup.h"

LIBRARY(cryptsetup, "libcryptsetup.so.12", "recommended",
	"puts verity in force by device-mapper");

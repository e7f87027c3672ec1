/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which libcrypto is loaded: the one whose headers this was built with. */
#include "libcrypto.h"

#include <openssl/opensslv.h>

#ifdef OPENSSL_SHLIB_VERSION
#define SHLIB_TEXT LIBRARY_TEXT(OPENSSL_SHLIB_VERSION)
#else
#define SHLIB_TEXT SHLIB_VERSION_NUMBER
#endif

LIBRARY(crypto, "libcrypto.so." SHLIB_TEXT, "recommended",
	"verifies signatures and hashes");

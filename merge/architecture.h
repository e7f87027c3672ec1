/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Names of architectures, as extension-release files and image names spell them (UAPI.4). Pure. */
#pragma once

#include <stdbool.h>

/*
 * The name of the architecture that uname(2) calls `machine` ("x86_64" is "x86-64"), or NULL
 * where there is none. The string is static.
 */
const char *architecture_from_machine(const char *machine);

/*
 * The architecture whose programs run natively beside those of `architecture` (x86 on x86-64,
 * arm on arm64, s390 on s390x, ppc on ppc64), or NULL. The string is static.
 */
const char *architecture_secondary(const char *architecture);

bool architecture_is_known(const char *name);

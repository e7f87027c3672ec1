/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The architectures of UAPI.4, and what uname(2) calls them. */
#include "architecture.h"

#include <string.h>

#include "base.h"

/* uname(2) says "mips" for both byte orders: a running program has the kernel's. */
#define NATIVE(little, big) (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? (little) : (big))

static const struct {
	const char *machine, *name;
} machines[] = {
	{ "x86_64", "x86-64" },
	{ "i686", "x86" },
	{ "i586", "x86" },
	{ "i486", "x86" },
	{ "i386", "x86" },
	{ "aarch64", "arm64" },
	{ "aarch64_be", "arm64-be" },
	{ "armv8l", "arm" },
	{ "armv8b", "arm-be" },
	{ "armv7l", "arm" },
	{ "armv7ml", "arm" },
	{ "armv7b", "arm-be" },
	{ "armv7mb", "arm-be" },
	{ "armv6l", "arm" },
	{ "armv6b", "arm-be" },
	{ "armv5tejl", "arm" },
	{ "armv5tejb", "arm-be" },
	{ "armv5tel", "arm" },
	{ "armv5teb", "arm-be" },
	{ "armv5tl", "arm" },
	{ "armv5tb", "arm-be" },
	{ "armv4tl", "arm" },
	{ "armv4tb", "arm-be" },
	{ "armv4l", "arm" },
	{ "armv4b", "arm-be" },
	{ "riscv64", "riscv64" },
	{ "riscv32", "riscv32" },
	{ "loongarch64", "loongarch64" },
	{ "ppc64le", "ppc64-le" },
	{ "ppc64", "ppc64" },
	{ "ppcle", "ppc-le" },
	{ "ppc", "ppc" },
	{ "s390x", "s390x" },
	{ "s390", "s390" },
	{ "mips64", NATIVE("mips64-le", "mips64") },
	{ "mips", NATIVE("mips-le", "mips") },
	{ "sparc64", "sparc64" },
	{ "sparc", "sparc" },
	{ "parisc64", "parisc64" },
	{ "parisc", "parisc" },
	{ "ia64", "ia64" },
	{ "alpha", "alpha" },
	{ "m68k", "m68k" },
	{ "sh5", "sh64" },
	{ "sh4a", "sh" },
	{ "sh4", "sh" },
	{ "sh3", "sh" },
	{ "sh2a", "sh" },
	{ "sh2", "sh" },
	{ "arc", "arc" },
	{ "arceb", "arc-be" },
	{ "cris", "cris" },
	{ "crisv32", "cris" },
	{ "tilegx", "tilegx" },
};

/* UAPI.4, ARCHITECTURE=, without "native" and "any", which name none. */
static const char *const names[] = {
	"x86",	   "x86-64",   "alpha",	    "arc",     "arc-be",      "arm",   "arm-be",
	"arm64",   "arm64-be", "cris",	    "ia64",    "loongarch64", "m68k",  "mips",
	"mips-le", "mips64",   "mips64-le", "parisc",  "parisc64",    "ppc",   "ppc-le",
	"ppc64",   "ppc64-le", "riscv32",   "riscv64", "s390",	      "s390x", "sh",
	"sh64",	   "sparc64",  "sparc",	    "tilegx",
};

static const struct {
	const char *name, *secondary;
} secondaries[] = {
	{ "x86-64", "x86" },
	{ "arm64", "arm" },
	{ "s390x", "s390" },
	{ "ppc64", "ppc" },
};

const char *architecture_from_machine(const char *machine) {
	for (size_t i = 0; i < ARRAY_SIZE(machines); i++)
		if (strcmp(machines[i].machine, machine) == 0)
			return machines[i].name;
	return NULL;
}

const char *architecture_secondary(const char *architecture) {
	for (size_t i = 0; i < ARRAY_SIZE(secondaries); i++)
		if (strcmp(secondaries[i].name, architecture) == 0)
			return secondaries[i].secondary;
	return NULL;
}

bool architecture_is_known(const char *name) {
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

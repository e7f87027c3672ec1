/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Kernel modules, where extmerge is built without libkmod. */
#include "module.h"

#include <errno.h>

int module_load(const char *name) {
	(void)name;
	return -ENOSYS;
}

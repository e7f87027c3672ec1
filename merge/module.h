/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Kernel modules that are needed and absent. The only user of libkmod. */
#pragma once

/*
 * Loads the module `name` with all that it depends on. 0 also where it was there already; -ENOENT
 * where there is none; -ENOSYS where extmerge was built without libkmod, or it is not installed.
 */
int module_load(const char *name);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What extmerge asks device-mapper itself: by ioctl, and only about devices whose names are ours. */
#pragma once

#include "../merge/base.h"

/* Of all devices of ours, and of no others. */
#define DEVMAPPER_PREFIX "extmerge-"
#define DEVMAPPER_NAME_MAX 64 /* with the NUL; the kernel's limit is 128 */

/*
 * Opens device-mapper's control device; where /dev has no right node for it, one is made in the directory
 * `nodes`. Returns an fd that the caller owns; -ENODEV where the kernel has no device-mapper or it is a module that is
 * not loaded (loading is not this function's work: it does not open a node that would); otherwise a negative
 * errno, -EPERM or -EACCES without privilege.
 */
int devmapper_open(int nodes);

/* 0 where the kernel can make targets of the type, such as "verity"; -ENODEV where its module is not loaded. */
int devmapper_has_target(int control, const char *type);

/* Keeps devmapper_heal() of other runs away until unlocked or the process ends, however it ends. Best effort. */
void devmapper_lock(int control);
void devmapper_unlock(int control);

/* The number that the kernel gave the active, read-only device `name`; -ENXIO where there is none. */
int devmapper_number(int control, const char *name, dev_t *ret);

/* Removes the device as soon as nobody has it open, which may be now. -ENXIO where there is none. */
int devmapper_remove(int control, const char *name);

/*
 * Removes what a run left behind that was killed while it made a device (specs: activate.10): devices with our
 * prefix that nobody uses. Does nothing, and succeeds, where device-mapper is absent or while another run
 * makes devices. 0, or a negative errno.
 */
int devmapper_heal(int nodes);

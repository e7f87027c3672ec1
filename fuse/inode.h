/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Inode numbers of a union: one for each file of each file system below, the same wherever it is seen. Pure. */
#pragma once

#include "../merge/base.h"

#define INODE_DEVICES_MAX 32767

/* The device numbers of the file systems below, in the order in which they were met. */
struct inode_devices {
	dev_t *numbers;
	size_t n, room;
};

void inode_devices_done(struct inode_devices *d);

/*
 * The inode number, never 0, that stands for inode `number` of `device` (specs: union.11). The first device's are
 * left as they are. 0 with *ret; -EOVERFLOW where there are more than INODE_DEVICES_MAX devices, -ENOMEM.
 */
int inode_number(struct inode_devices *d, dev_t device, uint64_t number, uint64_t *ret);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Read-only loop devices over a range of a file, without udev. */
#pragma once

#include <stdint.h>

#include "../merge/base.h"

/*
 * Makes a loop device of bytes `offset` to `offset + size` of the image `fd`. The caller has checked
 * that the range lies within the file: the kernel would silently cut it. The device is read-only and
 * ends with its last user, so nothing is left behind however we end. Where /dev has no node for it,
 * one is made in the directory `nodes`. Its sectors have 512 bytes, also where the image's have 4096.
 *
 * With `is_direct`, what is read of the device goes past the page cache of the file, where the kernel can do that: for
 * a file that is served from elsewhere, and whose data would be in memory twice. Whoever reads the device must
 * keep what is read then. It is read far ahead, so that there is work for all who serve the file.
 *
 * Returns an fd of the device, owned by the caller; -ENODEV without loop devices in this kernel;
 * otherwise a negative errno.
 */
int loop_attach(int fd, uint64_t offset, uint64_t size, bool is_direct, int nodes);

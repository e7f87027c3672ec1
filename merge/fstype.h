/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a run of blocks holds, told from magic numbers at fixed places. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base.h"

/* How many bytes from the start of a file system fstype_probe() wants, less at the end of it. */
#define FSTYPE_HEAD ((size_t)72 * 1024)

enum fstype {
	FSTYPE_NONE,
	FSTYPE_EROFS,
	FSTYPE_SQUASHFS,
	FSTYPE_EXT4, /* ext2, ext3 and ext4: the ext4 driver reads all */
	FSTYPE_BTRFS,
	FSTYPE_COUNT,
};

/* The kernel's name: "erofs". NULL for FSTYPE_NONE. */
const char *fstype_name(enum fstype t);

/*
 * Finds the one file system in `head` (`len` bytes, the first ones of `size` bytes in all).
 * 0 with *ret; else *ret_why is a static sentence:
 *   -ENODATA    nothing known (a partition table counts as nothing)
 *   -ENOTUNIQ   more than one magic number: a polyglot
 *   -EMEDIUMTYPE  known, but not supported here (xfs, vfat, LUKS, ...), the sentence names it
 *   -EUCLEAN    a journal or log that was not replayed
 *   -EBADMSG    a superblock that contradicts itself or the size (truncated image, block size
 *               that cannot be, case folding)
 */
int fstype_probe(const void *head, size_t len, uint64_t size, enum fstype *ret,
		 const char **ret_why);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* System calls and constants that are younger than some C library we build with. */
#pragma once

#include <fcntl.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef MOVE_MOUNT_BENEATH
#define MOVE_MOUNT_BENEATH 0x00000200 /* Linux 6.5 */
#endif

#ifndef STATX_MNT_ID_UNIQUE
#define STATX_MNT_ID_UNIQUE 0x00004000U /* Linux 6.8 */
#endif

#ifndef STATX_MNT_ID
#define STATX_MNT_ID 0x00001000U /* Linux 5.8 */
#endif

#ifndef MOUNT_ATTR_NOSYMFOLLOW
#define MOUNT_ATTR_NOSYMFOLLOW 0x00200000
#endif

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U /* Linux 6.3 */
#endif

#ifndef LOOP_CONFIGURE
#define LOOP_CONFIGURE 0x4C0A
#endif

#ifndef SYS_listxattrat /* Linux 6.13; one number for all architectures but alpha */
#ifdef __alpha__
#define SYS_getxattrat 574
#define SYS_listxattrat 575
#else
#define SYS_getxattrat 464
#define SYS_listxattrat 465
#endif
#endif

#ifndef SYS_open_tree_attr /* Linux 6.15 */
#ifdef __alpha__
#define SYS_open_tree_attr 577
#else
#define SYS_open_tree_attr 467
#endif
#endif

/* One entry as getdents64(2) writes it; the C libraries do not agree on a name for it. */
struct kernel_dirent {
	uint64_t d_ino;
	int64_t d_off;
	unsigned short d_reclen;
	unsigned char d_type;
	char d_name[];
};

static inline ssize_t sys_getdents64(int fd, void *buffer, size_t size) {
	return syscall(SYS_getdents64, fd, buffer, size);
}

static inline ssize_t sys_getxattrat(int dir, const char *name, unsigned flags,
				     const char *attribute, void *value, size_t size) {
	struct {
		__attribute__((aligned(8))) uint64_t value;
		uint32_t size, flags;
	} arguments = { (uintptr_t)value, (uint32_t)size, 0 };

	return syscall(SYS_getxattrat, dir, name, flags, attribute, &arguments,
		       sizeof(arguments));
}

static inline ssize_t sys_listxattrat(int dir, const char *name, unsigned flags,
				      char *list, size_t size) {
	return syscall(SYS_listxattrat, dir, name, flags, list, size);
}

/* No C library wraps it yet. */
static inline int sys_openat2(int dir, const char *path, const struct open_how *how) {
	return (int)syscall(SYS_openat2, dir, path, how, sizeof(*how));
}

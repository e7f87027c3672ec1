/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An empty mount namespace, locked memory, no capability. */
#include "confine.h"

#include <link.h>
#include <linux/capability.h>
#include <linux/magic.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/vfs.h>

#include "../merge/kernel.h"
#include "../merge/virtualfs.h"

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22 /* Linux 5.14 */
#endif

/* A new, detached, empty tree. */
static int make_nothing(void) {
	return virtualfs_mount("tmpfs", "nr_inodes", "1",
			       MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC |
				       MOUNT_ATTR_NOSUID);
}

/*
 * An fd of it. Whatever the caller was chrooted to, setns() leads to its root; and whatever was mounted over that, from
 * which nothing may propagate either: so first from where the caller is, which fails where that is no mount point.
 */
static int enter_own_namespace(void) {
	_cleanup_close_ int namespace = -EBADF;

	if (unshare(CLONE_NEWNS) < 0)
		return -errno;
	(void)mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
	namespace = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
	if (namespace < 0 || setns(namespace, CLONE_NEWNS) < 0 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return -errno;
	return TAKE_FD(namespace);
}

/* Detaches what setns() leads to: the uppermost of what is mounted over the namespace's root. */
static int detach_root(int namespace, int nothing) {
	_cleanup_close_ int root = -EBADF;

	if (setns(namespace, CLONE_NEWNS) < 0)
		return -errno;
	root = open("/", O_PATH | O_CLOEXEC);
	if (root < 0 || fchdir(nothing) < 0 || chroot(".") < 0 || fchdir(root) < 0)
		return -errno;
	return umount2(".", MNT_DETACH) < 0 ? -errno : 0;
}

/*
 * All that was copied goes, one mount over the root after the other: a caller who works aside has one of its own
 * there, and the rest below that. What is gone cannot be detached again (EINVAL), nor can an initramfs, which the
 * kernel does not let go of: there it stays out of sight.
 */
int confine_to_nothing(void) {
	_cleanup_close_ int namespace = enter_own_namespace(), nothing = -EBADF;
	int r = 0;

	if (namespace < 0)
		return namespace;
	nothing = make_nothing();
	if (nothing < 0)
		return nothing;
	while (r == 0)
		r = detach_root(namespace, nothing);
	if (r != -EINVAL)
		return r;
	return chdir("/") < 0 ? -errno : 0;
}

/* All groups but the true root have cgroup.events. */
static bool is_root_cgroup(int directory) {
	struct statfs fs;

	return fstatfs(directory, &fs) == 0 && fs.f_type == CGROUP2_SUPER_MAGIC &&
	       faccessat(directory, "cgroup.events", F_OK, 0) < 0 && errno == ENOENT;
}

void confine_leave_cgroup(void) {
	_cleanup_close_ int directory = open("/sys/fs/cgroup",
					     O_PATH | O_DIRECTORY | O_CLOEXEC);
	_cleanup_close_ int fd = -EBADF;

	if (directory < 0 || !is_root_cgroup(directory))
		return;
	fd = openat(directory, "cgroup.procs", O_WRONLY | O_CLOEXEC);
	if (fd >= 0 && write(fd, "0", 1) < 0)
		return;
}

static void refuse_to_be_killed(void) {
	_cleanup_close_ int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	if (fd >= 0 && write(fd, "-1000", 5) < 0)
		return;
}

void confine_memory(void) {
	const struct rlimit all = { RLIM_INFINITY, RLIM_INFINITY };
	int later = 0;

	refuse_to_be_killed();
	/*
	 * Pages stay as soon as they are used: caches and buffers are not filled yet. Later memory counts against
	 * the limit once the capability is gone, so it is left alone where there is one.
	 */
	if (setrlimit(RLIMIT_MEMLOCK, &all) == 0)
		later = MCL_FUTURE;
	mlockall(MCL_CURRENT | later | MCL_ONFAULT);
}

/* Reads in what of a program or library is not written to. What is refused by kernels before 5.14 comes when used. */
static int read_in(struct dl_phdr_info *info, size_t size, void *page_size) {
	uintptr_t page = *(const uintptr_t *)page_size;

	for (size_t i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];
		uintptr_t start = info->dlpi_addr + p->p_vaddr, end = start + p->p_memsz;

		if (p->p_type == PT_LOAD && !(p->p_flags & PF_W))
			madvise((void *)(start & ~(page - 1)),
				end - (start & ~(page - 1)), MADV_POPULATE_READ);
	}
	return 0;
}

void confine_read_in(void) {
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);

	dl_iterate_phdr(read_in, &page);
}

int confine_privileges(uint64_t keep) {
	struct __user_cap_header_struct header = { .version =
							   _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct kept[_LINUX_CAPABILITY_U32S_3];
	const struct rlimit no_core = { 0, 0 };

	if (syscall(SYS_capget, &header, kept) < 0)
		return -errno;
	/* What it never had it does without. */
	for (size_t i = 0; i < ARRAY_SIZE(kept); i++) {
		kept[i].permitted &= (uint32_t)(keep >> 32 * i);
		kept[i].effective = kept[i].permitted;
		kept[i].inheritable = 0;
	}

	for (unsigned long c = 0; prctl(PR_CAPBSET_READ, c, 0, 0, 0) >= 0; c++)
		if (prctl(PR_CAPBSET_DROP, c, 0, 0, 0) < 0 && errno != EPERM)
			return -errno;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    syscall(SYS_capset, &header, kept) < 0 ||
	    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 || setrlimit(RLIMIT_CORE, &no_core) < 0)
		return -errno;
	return 0;
}

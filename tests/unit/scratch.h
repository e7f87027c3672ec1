/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A temporary directory of the test's own, which is gone afterwards, and what goes into it. */
#pragma once

#include <check.h>
#include <fcntl.h>
#include <ftw.h>
#include <string.h>
#include <sys/stat.h>

#include "merge/base.h"

#define SCRATCH_NOBODY 65534

static char scratch_path[] = "/tmp/extmerge-unit-XXXXXX";
static int scratch_fd = -EBADF;

/* Fixtures, to be added unchecked: they run once and in the parent, so whatever becomes of a test. */
static inline void scratch_setup(void) {
	strcpy(scratch_path + strlen(scratch_path) - 6, "XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(scratch_path));
	ck_assert_int_eq(chmod(scratch_path, 0755), 0);
	scratch_fd = open(scratch_path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ge(scratch_fd, 0);
	umask(022);
}

static inline int scratch_remove_one(const char *path, const struct stat *st, int type,
				     struct FTW *ftw) {
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

static inline void scratch_teardown(void) {
	nftw(scratch_path, scratch_remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
	close_fdp(&scratch_fd);
}

/* All paths here are relative to the scratch directory. */
static inline int scratch_open(const char *path, int flags) {
	int fd = openat(scratch_fd, path, flags | O_CLOEXEC, 0644);

	ck_assert_msg(fd >= 0, "cannot open '%s': %s", path, strerror(errno));
	return fd;
}

static inline void scratch_mkdir(const char *path) {
	ck_assert_msg(mkdirat(scratch_fd, path, 0755) == 0, "cannot make '%s'", path);
}

static inline void scratch_write(const char *path, const char *text) {
	_cleanup_close_ int fd = scratch_open(path, O_WRONLY | O_CREAT | O_TRUNC);

	ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
}

static inline void scratch_link(const char *target, const char *path) {
	ck_assert_int_eq(symlinkat(target, scratch_fd, path), 0);
}

/* Root may read everything: what a permission refuses is only seen as somebody else. */
static inline void scratch_become_nobody(void) {
	if (geteuid() == 0)
		ck_assert_int_eq(seteuid(SCRATCH_NOBODY), 0);
}

static inline void scratch_become_root(void) {
	if (getuid() == 0)
		ck_assert_int_eq(seteuid(0), 0);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One file-system context of the kernel. */
#include "fs.h"

#include <string.h>

#include "kernel.h"
#include "module.h"

/* The kernel queues its messages at the context, one for each read, as "e erofs: cannot ...". */
static void read_complaint(struct fs *f) {
	char message[256];
	ssize_t n;

	while (!f->complaint && (n = read(f->context, message, sizeof(message) - 1)) > 0) {
		message[n] = '\0';
		message[strcspn(message, "\n")] = '\0';
		if (strncmp(message, "e ", 2) == 0)
			f->complaint = strdup(message + 2);
	}
}

static void check(struct fs *f, int result) {
	if (result >= 0)
		return;
	f->error = -errno;
	read_complaint(f);
}

void fs_open(struct fs *f, const char *type) {
	f->context = fsopen(type, FSOPEN_CLOEXEC);
	f->error = f->context < 0 ? -errno : 0;
	if (f->error != -ENODEV || module_load(type) < 0)
		return;
	f->context = fsopen(type, FSOPEN_CLOEXEC);
	f->error = f->context < 0 ? -errno : 0;
}

void fs_set(struct fs *f, const char *key, const char *value) {
	if (f->error == 0)
		check(f, fsconfig(f->context, FSCONFIG_SET_STRING, key, value, 0));
}

void fs_set_flag(struct fs *f, const char *key) {
	if (f->error == 0)
		check(f, fsconfig(f->context, FSCONFIG_SET_FLAG, key, NULL, 0));
}

void fs_set_fd(struct fs *f, const char *key, int fd) {
	if (f->error == 0)
		check(f, fsconfig(f->context, FSCONFIG_SET_FD, key, NULL, fd));
}

int fs_mount(struct fs *f, uint64_t attributes) {
	int fd;

	if (f->error == 0)
		check(f, fsconfig(f->context, FSCONFIG_CMD_CREATE, NULL, NULL, 0));
	if (f->error < 0)
		return f->error;
	fd = fsmount(f->context, FSMOUNT_CLOEXEC, (unsigned)attributes);
	if (fd < 0)
		f->error = -errno;
	return fd < 0 ? f->error : fd;
}

void fs_done(struct fs *f) {
	close_fdp(&f->context);
	free(f->complaint);
	*f = (struct fs)FS_NONE;
}

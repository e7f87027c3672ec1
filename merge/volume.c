/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A run of blocks, and how it is mounted. */
#include "volume.h"

#include <string.h>

#include "../fuse/driver.h"
#include "../verity/loop.h"
#include "assess.h"
#include "file.h"
#include "fs.h"
#include "kernel.h"
#include "module.h"

/* Which verdict an error of fstype_probe() stands for. */
static enum verdict_code code_of(int error) {
	switch (error) {
	case -ENODATA:
		return VERDICT_UNKNOWN_FORMAT;
	case -ENOTUNIQ:
		return VERDICT_AMBIGUOUS;
	case -EMEDIUMTYPE:
		return VERDICT_UNSUPPORTED;
	default:
		return VERDICT_CORRUPT;
	}
}

/* A block that cannot be read from protected data is one that is wrong. */
static int cannot_read(struct extension *e, const struct volume *v, int error) {
	if (error == -EIO && v->fd != e->fd)
		return verdict_set(
			&e->verdict, VERDICT_CORRUPT,
			"a block of data is not the one that its hash tree names");
	return assess_read_error(e, error);
}

/* Of a file that is served, no more is read ahead than is looked at: what is mounted of it reads it in its own way. */
static ssize_t read_head(const struct volume *v, char *head) {
	size_t size = v->size < FSTYPE_HEAD ? v->size : FSTYPE_HEAD;
	ssize_t n;

	if (v->is_served)
		posix_fadvise(v->fd, 0, 0, POSIX_FADV_RANDOM);
	n = file_read_at(v->fd, head, size, v->offset);
	if (v->is_served)
		posix_fadvise(v->fd, 0, 0, POSIX_FADV_NORMAL);
	return n;
}

int volume_probe(struct extension *e, struct volume *v) {
	_cleanup_free_ char *head = malloc(FSTYPE_HEAD);
	const char *why = NULL;
	ssize_t n;
	int r;

	if (!head)
		return -ENOMEM;
	n = read_head(v, head);
	if (n < 0)
		return cannot_read(e, v, (int)n);
	r = fstype_probe(head, (size_t)n, v->size, &v->format, &why);
	if (r == -ENOMEM)
		return r;
	return r < 0 ? verdict_set(&e->verdict, code_of(r), "%s", why) : 0;
}

/* --- mounting --- */

/* Mounts the volume from what the text `source` names. */
static int mount_from(struct fs *f, const struct volume *v, const char *source,
		      uint64_t offset, uint64_t attributes) {
	char number[24];

	fs_open(f, fstype_name(v->format));
	fs_set(f, "source", source);
	if (offset > 0) {
		snprintf(number, sizeof(number), "%llu", (unsigned long long)offset);
		fs_set(f, "fsoffset", number);
	}
	fs_set_flag(f, "ro");
	return fs_mount(f, attributes);
}

/*
 * erofs straight from the file: Linux 6.12, inside a disk image 6.16. The file is named through its fd,
 * so the inode that was examined is the one that is mounted, whatever the path means by now.
 */
static int mount_file(const struct volume *v, uint64_t attributes) {
	struct fs f = FS_NONE;
	char path[FILE_FD_PATH_MAX];
	int fd;

	if (v->format != FSTYPE_EROFS || !v->is_file)
		return -EOPNOTSUPP;
	file_fd_path(v->fd, path);
	fd = mount_from(&f, v, path, v->offset, attributes);
	fs_done(&f);
	return fd;
}

/*
 * vfile.16: what is checked is kept once, by the file system. squashfs does not keep everything that it reads again and
 * again, so there the file keeps it.
 */
static int attach_loop(const struct volume *v, const struct workshop *w) {
	bool is_direct = v->is_served && v->format != FSTYPE_SQUASHFS;
	int loop = loop_attach(v->fd, v->offset, v->size, is_direct, w->scratch);

	if (loop == -ENODEV && module_load("loop") == 0)
		loop = loop_attach(v->fd, v->offset, v->size, is_direct, w->scratch);
	return loop;
}

/* Through a block device: the volume itself, if it is one, or a loop device. */
static int mount_device(const struct volume *v, const struct workshop *w,
			uint64_t attributes, struct fs *f) {
	_cleanup_close_ int loop = -EBADF;
	char path[FILE_FD_PATH_MAX];

	if (v->is_device) {
		file_fd_path(v->fd, path);
		return mount_from(f, v, path, 0, attributes);
	}
	loop = attach_loop(v, w);
	if (loop < 0)
		return f->error = loop;
	file_fd_path(loop, path);
	return mount_from(f, v, path, 0, attributes);
}

/* Neither the file system's driver nor loop devices can be told from each other by that. */
static bool is_absent(const struct fs *f) {
	return f->error == -ENODEV || f->error == -ENOENT || f->error == -ENXIO;
}

/* Says what mounting came to, where it was the image's fault or a lack in the kernel. */
static int cannot_mount(struct extension *e, const struct volume *v, const struct fs *f) {
	const char *type = fstype_name(v->format);

	if (file_is_shortage(f->error))
		return f->error;
	if (f->error == -EPERM || f->error == -EACCES)
		return verdict_set(&e->verdict, VERDICT_NO_PRIVILEGE,
				   "mounting its %s file system is not permitted here%s%s",
				   type, f->complaint ? "; " : "", f->complaint ?: "");
	if (is_absent(f))
		return verdict_set(&e->verdict, VERDICT_UNSUPPORTED,
				   "this kernel has no %s or no loop devices (%s)%s%s",
				   type, strerror(-f->error), f->complaint ? "; " : "",
				   f->complaint ?: "");
	return verdict_set(&e->verdict, VERDICT_CORRUPT,
			   "the kernel refuses its %s file system: %s", type,
			   f->complaint ?: strerror(-f->error));
}

/*
 * An image that is as it lies there is mounted from its file where the kernel can, which costs no loop device. A
 * verified file is not, if it can be helped: what the kernel reads ahead and maps of a loop device on it is several
 * times faster (tests/bench/VERIFIED-FILE.md), and the server has taken longer to start than a loop device takes.
 */
static int mount_somehow(const struct volume *v, struct workshop *w, uint64_t attributes,
			 struct fs *f, enum extension_access *ret_access) {
	int fd = v->is_served ? -EOPNOTSUPP : mount_file(v, attributes);

	*ret_access = EXTENSION_ACCESS_FILE;
	if (fd >= 0)
		return fd;
	fd = mount_device(v, w, attributes, f);
	if (fd < 0 && v->is_served)
		return mount_file(v, attributes);
	*ret_access = v->is_device ? EXTENSION_ACCESS_DEVICE : EXTENSION_ACCESS_LOOP;
	return fd;
}

static bool is_forbidden(const struct fs *f) {
	return f->error == -EPERM || f->error == -EACCES;
}

/* command.5: the last resort. What hinders it is said beside the kernel's refusal, but for a driver's own, which counts. */
static int mount_by_driver(const struct volume *v, struct workshop *w, uint64_t attributes,
			   struct fs *f, enum extension_access *ret_access) {
	const struct driver_volume d = { fstype_name(v->format), v->fd, v->offset };
	const struct driver_place place = { w->scratch, workshop_vigil(w) };
	char why[DRIVER_WHY_MAX] = "";
	int fd = place.vigil < 0 ? place.vigil
				 : driver_mount(&d, attributes, &place, why);

	*ret_access = EXTENSION_ACCESS_DRIVER;
	if (fd >= 0)
		return fd;
	free(f->complaint);
	f->complaint = strdup(why);
	if (fd == -EPROTO)
		f->error = fd;
	return fd;
}

int volume_mount(struct extension *e, const struct volume *v, struct workshop *w,
		 int *ret) {
	uint64_t attributes = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV |
			      e->class->mount_attributes;
	_cleanup_(fs_done) struct fs f = FS_NONE;
	_cleanup_close_ int fd = -EBADF;
	enum extension_access access;
	char name[WORKSHOP_NAME_MAX];
	int r;

	fd = mount_somehow(v, w, attributes, &f, &access);
	if (fd < 0 && (is_forbidden(&f) || is_absent(&f)))
		fd = mount_by_driver(v, w, attributes, &f, &access);
	if (fd < 0)
		return cannot_mount(e, v, &f);
	r = workshop_attach(w, fd, name);
	if (r < 0)
		return r;
	if (v->fd == e->fd) /* otherwise it is known already */
		e->access = access;
	e->format = v->format;
	*ret = TAKE_FD(fd);
	return 0;
}

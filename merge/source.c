/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How an extension becomes a tree fd. */
#include "source.h"

#include <string.h>

#include "../verity/dissect.h"
#include "../verity/loop.h"
#include "file.h"
#include "fs.h"
#include "kernel.h"
#include "module.h"
#include "version.h"

bool source_is_shortage(int error) {
	static const int shortages[] = { -ENOMEM, -EMFILE, -ENFILE,
					 -ENOSPC, -EDQUOT, -EINTR };

	for (size_t i = 0; i < ARRAY_SIZE(shortages); i++)
		if (error == shortages[i])
			return true;
	return false;
}

/* An error while bytes are read: the machine's fault is returned, the image's becomes a verdict. */
static int cannot_read(struct extension *e, int error) {
	if (source_is_shortage(error))
		return error;
	return verdict_set(&e->verdict, VERDICT_UNREADABLE, "cannot be read: %s",
			   strerror(-error));
}

/* Which verdict an error of fstype_probe(), gpt_parse() or gpt_choose() stands for. */
static enum verdict_code code_of(int error) {
	switch (error) {
	case -ENODATA:
	case -ENOENT:
		return VERDICT_UNKNOWN_FORMAT;
	case -ENOTUNIQ:
		return VERDICT_AMBIGUOUS;
	case -EMEDIUMTYPE:
		return VERDICT_UNSUPPORTED;
	case -ENOEXEC:
		return VERDICT_OTHER_ARCHITECTURE;
	default:
		return VERDICT_CORRUPT;
	}
}

static int refuse(struct extension *e, int error, const char *why) {
	if (error == -ENOMEM)
		return error;
	return verdict_set(&e->verdict, code_of(error), "%s", why);
}

static int probe_part(struct extension *e, struct source_part *p) {
	_cleanup_free_ char *head = malloc(FSTYPE_HEAD);
	const char *why = NULL;
	ssize_t n;
	int r;

	if (!head)
		return -ENOMEM;
	n = file_read_at(e->fd, head, p->size < FSTYPE_HEAD ? p->size : FSTYPE_HEAD,
			 p->offset);
	if (n < 0)
		return cannot_read(e, (int)n);
	r = fstype_probe(head, (size_t)n, p->size, &p->format, &why);
	return r < 0 ? refuse(e, r, why) : 0;
}

static enum verdict_code code_of_fault(enum fault_code code) {
	static const enum verdict_code codes[] = {
		[FAULT_NO_PARTITION] = VERDICT_UNKNOWN_FORMAT,
		[FAULT_FOREIGN] = VERDICT_OTHER_ARCHITECTURE,
		[FAULT_AMBIGUOUS] = VERDICT_AMBIGUOUS,
	};

	return code < ARRAY_SIZE(codes) ? codes[code] : VERDICT_CORRUPT;
}

static int refuse_fault(struct extension *e, const struct fault *f) {
	_cleanup_free_ char *text = fault_text(f);

	return text ? verdict_set(&e->verdict, code_of_fault(f->code), "%s", text)
		    : -ENOMEM;
}

/* A confext has nothing to seek in a usr partition. */
static int take_parts(struct extension *e, const struct dissection *d,
		      struct source_layout *l) {
	l->is_disk = d->is_disk;
	for (size_t i = 0; i < d->n_parts; i++) {
		const struct dissect_part *p = &d->parts[i];

		l->has_verity |= p->has_tree;
		l->has_signature |= p->has_signature;
		if (p->designator == GPT_USR && e->class->id == CLASS_CONFEXT)
			continue;
		l->parts[l->n_parts++] = (struct source_part){
			.offset = p->offset,
			.size = p->size,
			.is_usr = p->designator == GPT_USR,
		};
	}
	return l->n_parts > 0 ? 0
			      : refuse(e, -ENOENT,
				       "has no root partition, which a confext needs");
}

int source_read_layout(struct extension *e, const char *native, const char *secondary,
		       struct source_layout *ret) {
	const struct dissect_image image = {
		.fd = e->fd,
		.size = e->size,
		.directory = -EBADF,
		.native = native,
		.secondary = secondary,
		.compare = version_compare,
	};
	_cleanup_(dissection_done) struct dissection d = DISSECTION_NONE;
	struct source_layout l = { 0 };
	struct fault fault;
	int r = dissect(&image, &d, &fault);

	if (r == -EBADMSG)
		r = refuse_fault(e, &fault);
	else if (r == 0)
		r = take_parts(e, &d, &l);
	else
		r = cannot_read(e, r);
	for (size_t i = 0; r == 0 && extension_fits(e) && i < l.n_parts; i++)
		r = probe_part(e, &l.parts[i]);
	*ret = l;
	return r;
}

/* Mounts the part from what the text `source` names. */
static int mount_from(struct fs *f, const struct source_part *p, const char *source,
		      uint64_t offset, uint64_t attributes) {
	char number[24];

	fs_open(f, fstype_name(p->format));
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
static int mount_file(const struct extension *e, const struct source_part *p,
		      uint64_t attributes) {
	struct fs f = FS_NONE;
	char path[FILE_FD_PATH_MAX];
	int fd;

	if (p->format != FSTYPE_EROFS || e->kind == EXTENSION_BLOCK)
		return -EOPNOTSUPP;
	file_fd_path(e->fd, path);
	fd = mount_from(&f, p, path, p->offset, attributes);
	fs_done(&f);
	return fd;
}

static int attach_loop(const struct extension *e, const struct source_part *p,
		       const struct workshop *w) {
	int loop = loop_attach(e->fd, p->offset, p->size, w->scratch);

	if (loop == -ENODEV && module_load("loop") == 0)
		loop = loop_attach(e->fd, p->offset, p->size, w->scratch);
	return loop;
}

/* Through a block device: the image itself, if it is one and all of it counts, or a loop device. */
static int mount_device(struct extension *e, const struct source_part *p,
			struct workshop *w, uint64_t attributes, struct fs *f) {
	_cleanup_close_ int loop = -EBADF;
	char path[FILE_FD_PATH_MAX];

	if (e->kind == EXTENSION_BLOCK && p->offset == 0 && p->size == e->size) {
		file_fd_path(e->fd, path);
		e->access = EXTENSION_ACCESS_DEVICE;
		return mount_from(f, p, path, 0, attributes);
	}
	loop = attach_loop(e, p, w);
	if (loop < 0)
		return f->error = loop;
	file_fd_path(loop, path);
	e->access = EXTENSION_ACCESS_LOOP;
	return mount_from(f, p, path, 0, attributes);
}

/* Says what mounting came to, where it was the image's fault or a lack in the kernel. */
static int cannot_mount(struct extension *e, const struct source_part *p,
			const struct fs *f) {
	const char *type = fstype_name(p->format);

	if (source_is_shortage(f->error))
		return f->error;
	if (f->error == -EPERM || f->error == -EACCES)
		return verdict_set(&e->verdict, VERDICT_NO_PRIVILEGE,
				   "mounting its %s file system is not permitted here",
				   type);
	if (f->error == -ENODEV || f->error == -ENOENT || f->error == -ENXIO)
		return verdict_set(&e->verdict, VERDICT_UNSUPPORTED,
				   "this kernel has no %s or no loop devices (%s)", type,
				   strerror(-f->error));
	return verdict_set(&e->verdict, VERDICT_CORRUPT,
			   "the kernel refuses its %s file system: %s", type,
			   f->complaint ?: strerror(-f->error));
}

static int attach_part(struct extension *e, const struct source_part *p,
		       struct workshop *w) {
	uint64_t attributes = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV |
			      e->class->mount_attributes;
	int *tree = p->is_usr ? &e->usr_tree : &e->root_tree, r = 0;
	_cleanup_close_ int fd = mount_file(e, p, attributes);
	_cleanup_(fs_done) struct fs f = FS_NONE;
	char name[WORKSHOP_NAME_MAX];

	e->access = EXTENSION_ACCESS_FILE;
	if (fd < 0)
		fd = mount_device(e, p, w, attributes, &f);
	if (fd < 0)
		return cannot_mount(e, p, &f);
	r = workshop_attach(w, fd, name);
	if (r < 0)
		return r;
	e->format = p->format;
	*tree = TAKE_FD(fd);
	return 0;
}

int source_attach(struct extension *e, const char *native, const char *secondary,
		  struct workshop *w) {
	struct source_layout l;
	int r;

	if (e->kind == EXTENSION_DIRECTORY || e->kind == EXTENSION_SUBVOLUME) {
		e->access = EXTENSION_ACCESS_DIRECTORY;
		e->root_tree = fcntl(e->fd, F_DUPFD_CLOEXEC, 3);
		return e->root_tree < 0 ? -errno : 0;
	}
	r = source_read_layout(e, native, secondary, &l);
	e->has_verity = l.has_verity;
	for (size_t i = 0; r == 0 && extension_fits(e) && i < l.n_parts; i++)
		r = attach_part(e, &l.parts[i], w);
	return r;
}

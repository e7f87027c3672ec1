/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How an extension becomes a tree fd. */
#include "source.h"

#include <string.h>

#include "../fuse/driver.h"
#include "../verity/loop.h"
#include "file.h"
#include "fs.h"
#include "image.h"
#include "kernel.h"
#include "module.h"

/* A run of blocks that is about to be mounted: of the image, or what stands for it once it is protected. */
struct volume {
	int fd;
	uint64_t offset, size; /* bytes */
	bool is_device;	       /* all of it is a block device */
	bool is_file;	       /* that a file system could be mounted straight from */
	bool is_served;	       /* a verified file */
	enum fstype format;
};

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

static int probe(struct extension *e, struct volume *v) {
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

static int mount_volume(struct extension *e, const struct volume *v, struct workshop *w,
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

/* --- protection --- */

/* trust.9: where the policy does not mind, but never in silence. */
static int do_without(struct extension *e, const char *why) {
	extension_trust_done(&e->trust);
	e->trust.protection = EXTENSION_UNPROTECTED;
	return extension_add_note(e, "its hash tree is not in force: %s", why);
}

static int cannot_guard(struct extension *e, int error, const char *why) {
	switch (error) {
	case -EBADMSG:
		return verdict_set(&e->verdict, VERDICT_CORRUPT, "%s",
				   why ?: "its hash tree is refused");
	case -ENOKEY:
		return verdict_set(
			&e->verdict, VERDICT_UNKNOWN_SIGNER,
			"the kernel takes only what is signed by a key of its own: %s",
			why ?: strerror(-error));
	case -EKEYREJECTED:
	case -EKEYREVOKED:
	case -EKEYEXPIRED:
		return verdict_set(&e->verdict, VERDICT_BAD_SIGNATURE,
				   "the kernel refuses its signature: %s",
				   why ?: strerror(-error));
	default:
		return assess_read_error(e, error);
	}
}

/* Not a negative errno: who has signed it is unknown to the kernel as well. */
#define UNKNOWN_TO_KERNEL 1

/* Puts the part's hash tree in force; *v becomes the data that is checked from now on. Or UNKNOWN_TO_KERNEL. */
static int guard_part(struct extension *e, const struct verity_part *p,
		      const struct source_options *o, struct volume *v) {
	_cleanup_free_ char *why = NULL;
	struct guarded g;
	int r = guard_attach(o->guard, &p->target, e->name.full, o->workshop, &g, &why);

	if (p->is_for_kernel && r == 0 && !g.is_kernel_checked) {
		close(g.fd);
		free(g.server);
		return UNKNOWN_TO_KERNEL;
	}
	if (p->is_for_kernel && r == -ENOKEY)
		return UNKNOWN_TO_KERNEL;
	if (r == -ENODEV && p->may_be_bare)
		return do_without(e, why);
	if (r == -ENODEV)
		return verdict_set(
			&e->verdict, VERDICT_NO_VERITY_BACKEND,
			"the policy asks for protection, and nothing here can put it in force: %s",
			why);
	if (r < 0)
		return cannot_guard(e, r, why);
	*v = (struct volume){ .fd = g.fd,
			      .size = g.size,
			      .is_device = g.is_device,
			      .is_file = !g.is_device,
			      .is_served = !g.is_device };
	e->trust.is_kernel_checked = g.is_kernel_checked &&
				     (e->access == EXTENSION_ACCESS_NONE ||
				      e->trust.is_kernel_checked);
	if (o->guard->on_corruption != CRYPTSETUP_EIO)
		e->trust.on_corruption = guard_corruption_text(o->guard->on_corruption);
	e->access = g.is_device ? EXTENSION_ACCESS_DM_VERITY
				: EXTENSION_ACCESS_VERIFIED_FILE;
	free(e->trust.server);
	e->trust.server = g.server;
	return 0;
}

static int check_format(struct extension *e, const struct policy *policy,
			const struct verity_part *p, enum fstype format) {
	struct fault fault;
	int r = verity_check_format(policy, p, fstype_name(format), &fault);

	return r < 0 ? assess_fault(e, &fault) : 0;
}

static int attach_volume(struct extension *e, const struct assessment *a,
			 const struct verity_part *p, const struct source_options *o,
			 struct volume *v) {
	int r = probe(e, v);

	if (r == 0 && extension_fits(e))
		r = check_format(e, &a->policy, p, v->format);
	if (r == 0 && extension_fits(e))
		r = mount_volume(e, v, o->workshop,
				 p->designator == GPT_USR ? &e->usr_tree : &e->root_tree);
	return r;
}

static int attach_part(struct extension *e, const struct assessment *a,
		       const struct verity_part *p, const struct source_options *o) {
	struct volume v = {
		.fd = e->fd,
		.offset = p->offset,
		.size = p->size,
		.is_device = e->kind == EXTENSION_BLOCK && p->size == e->size,
		.is_file = e->kind == EXTENSION_RAW,
	};
	int r = p->protection == POLICY_UNPROTECTED ? 0 : guard_part(e, p, o, &v);

	if (r == 0 && extension_fits(e))
		r = attach_volume(e, a, p, o, &v);
	if (v.fd != e->fd)
		close_fdp(&v.fd); /* what was mounted of it keeps it */
	return r;
}

static int attach_directory(struct extension *e, const struct source_options *o) {
	int r = assess_directory(e, &o->assess);

	if (r < 0 || !extension_fits(e))
		return r;
	e->access = EXTENSION_ACCESS_DIRECTORY;
	e->root_tree = fcntl(e->fd, F_DUPFD_CLOEXEC, 3);
	return e->root_tree < 0 ? -errno : 0;
}

static bool asks_kernel(void *options) {
	const struct source_options *o = options;

	return guard_asks_kernel(o->guard, o->workshop);
}

static int attach_image(struct extension *e, struct source_options *o) {
	_cleanup_(assessment_done) struct assessment a = ASSESSMENT_NONE;
	int r = assess_image(e, &o->assess, &a);

	if (r == 0 && !o->workshop)
		r = verdict_set(
			&e->verdict, VERDICT_NO_PRIVILEGE,
			"an image can only be looked into by who may mount, with CAP_SYS_ADMIN");
	for (size_t i = 0; r == 0 && extension_fits(e) && i < a.parts.n; i++)
		r = attach_part(e, &a, &a.parts.items[i], o);
	return r;
}

/* trust.14: where the kernel knows the signer no more than we do, it is judged as if nobody had asked. */
static int attach_signed(struct extension *e, const struct source_options *o) {
	struct source_options asking = *o, alone = *o;
	int r;

	asking.assess.asks_kernel = o->workshop ? asks_kernel : NULL;
	asking.assess.userdata = &alone;
	r = attach_image(e, &asking);
	if (r != UNKNOWN_TO_KERNEL)
		return r;
	extension_trust_done(&e->trust);
	e->access = EXTENSION_ACCESS_NONE;
	close_fdp(&e->root_tree);
	close_fdp(&e->usr_tree);
	e->root_tree = e->usr_tree = -EBADF;
	return attach_image(e, &alone);
}

int source_attach(struct extension *e, const struct source_options *o) {
	return e->kind == EXTENSION_DIRECTORY || e->kind == EXTENSION_SUBVOLUME
		       ? attach_directory(e, o)
		       : attach_signed(e, o);
}

/* --- for people --- */

static int take_part(struct extension *e, const struct dissect_part *p,
		     struct source_part *to) {
	struct volume v = { .fd = e->fd, .offset = p->offset, .size = p->size };
	int r = probe(e, &v);

	*to = (struct source_part){
		.format = v.format,
		.offset = p->offset,
		.size = p->size,
		.is_usr = p->designator == GPT_USR,
	};
	return r;
}

int source_read_layout(struct extension *e, const char *native, const char *secondary,
		       struct source_layout *ret) {
	bool is_file = e->kind == EXTENSION_RAW;
	_cleanup_close_ int directory = is_file ? image_open_directory(e, AT_FDCWD)
						: -EBADF;
	const struct dissect_image image = image_describe(e, directory, native, secondary);
	_cleanup_(dissection_done) struct dissection d = DISSECTION_NONE;
	struct source_layout l = { .n_parts = 0 };
	struct fault fault;
	int r = is_file && directory < 0 ? directory : dissect(&image, &d, &fault);

	if (r < 0)
		return r == -EBADMSG ? assess_fault(e, &fault) : assess_read_error(e, r);
	l.is_disk = d.is_disk;
	for (size_t i = 0; r == 0 && extension_fits(e) && i < d.n_parts; i++)
		r = take_part(e, &d.parts[i], &l.parts[l.n_parts++]);
	*ret = l;
	return r;
}

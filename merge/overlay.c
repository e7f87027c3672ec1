/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The kernel's overlayfs, by the best way this kernel knows. */
#include "overlay.h"

#include <linux/magic.h>
#include <string.h>
#include <sys/vfs.h>

#include "fs.h"
#include "kernel.h"
#include "meta.h"
#include "mount.h"
#include "text.h"

/*
 * Options of every overlay. nofollow and metacopy=off: a layer's attributes must never lead to files
 * that are not at that path; redirect_dir=off would still follow them (layer.4). xino=off: each layer keeps its own
 * inode numbers. index=off: a tree that is written may be replaced by one with the same upper layer.
 */
static const char *const options[][2] = {
	{ "redirect_dir", "nofollow" },
	{ "metacopy", "off" },
	{ "index", "off" },
	{ "xino", "off" },
};

/* Linux 6.13: the layers are named by fds. */
static int mount_by_fd(const struct stacking *q, struct fs *f) {
	fs_open(f, "overlay");
	fs_set(f, "source", q->source);
	for (size_t i = 0; i < q->n; i++)
		fs_set_fd(f, "lowerdir+", q->layers[i]);
	if (q->upper) {
		fs_set_fd(f, "upperdir", q->upper->upper);
		fs_set_fd(f, "workdir", q->upper->work);
		fs_set(f, "uuid", "null"); /* or it would be noted on the upper layer */
	}
	for (size_t i = 0; i < ARRAY_SIZE(options); i++)
		fs_set(f, options[i][0], options[i][1]);
	if (!q->upper)
		fs_set_flag(f, "ro");
	return fs_mount(f, q->attributes);
}

/*
 * Older kernels want paths. Each layer is attached in the scratch, whose directories have short names;
 * the working directory is there, so that the names are all that has to be said.
 */
static int attach_one(const struct stacking *q, int fd, char name[WORKSHOP_NAME_MAX]) {
	_cleanup_close_ int clone =
		open_tree(fd, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);

	return clone < 0 ? -errno : workshop_attach(q->workshop, clone, name);
}

static int attach_layers(const struct stacking *q, char (*names)[WORKSHOP_NAME_MAX]) {
	for (size_t i = 0; i < q->n; i++) {
		int r = attach_one(q, q->layers[i], names[i]);

		if (r < 0)
			return r;
	}
	return fchdir(q->workshop->scratch) < 0 ? -errno : 0;
}

/* The upper layer and its work directory have to be on one mount: that of the directory that both are in. */
struct upper_paths {
	char *upper, *work;
};

static int attach_upper(const struct stacking *q, struct upper_paths *ret) {
	char name[WORKSHOP_NAME_MAX];
	int r = q->upper ? attach_one(q, q->upper->parent, name) : 0;

	if (r < 0 || !q->upper)
		return r;
	ret->upper = text_format("%s/%s", name, q->upper->fresh ?: q->upper->name);
	ret->work = text_format("%s/%s", name, q->upper->work_name);
	return ret->upper && ret->work ? 0 : -ENOMEM;
}

static void upper_paths_done(struct upper_paths *p) {
	free(p->upper);
	free(p->work);
}

/* Linux 6.8: one option for each path. */
static int mount_by_path(const struct stacking *q, struct fs *f) {
	_cleanup_free_ char(*names)[WORKSHOP_NAME_MAX] = calloc(q->n, WORKSHOP_NAME_MAX);
	_cleanup_(upper_paths_done) struct upper_paths paths = { NULL };
	int r = names ? attach_upper(q, &paths) : -ENOMEM;

	if (r == 0)
		r = attach_layers(q, names);
	if (r < 0)
		return f->error = r;
	fs_open(f, "overlay");
	fs_set(f, "source", q->source);
	for (size_t i = 0; i < q->n; i++)
		fs_set(f, "lowerdir+", names[i]);
	if (q->upper) {
		fs_set(f, "upperdir", paths.upper);
		fs_set(f, "workdir", paths.work);
		fs_set(f, "uuid", "null");
	}
	for (size_t i = 0; i < ARRAY_SIZE(options); i++)
		fs_set(f, options[i][0], options[i][1]);
	if (!q->upper)
		fs_set_flag(f, "ro");
	return fs_mount(f, q->attributes);
}

/* The option text of mount(2), which the kernel would cut at a page without a word. */
static int format_options(const struct stacking *q, char (*names)[WORKSHOP_NAME_MAX],
			  const struct upper_paths *paths, char text[static 4096]) {
	size_t len = 0;

	for (size_t i = 0; i < q->n && len < 4096; i++)
		len += (size_t)snprintf(text + len, 4096 - len, "%s%s",
					i ? ":" : "lowerdir=", names[i]);
	if (q->upper && len < 4096)
		len += (size_t)snprintf(text + len, 4096 - len, ",upperdir=%s,workdir=%s",
					paths->upper, paths->work);
	for (size_t i = 0; i < ARRAY_SIZE(options) && len < 4096; i++)
		len += (size_t)snprintf(text + len, 4096 - len, ",%s=%s", options[i][0],
					options[i][1]);
	return len < 4096 ? 0 : -E2BIG;
}

static unsigned long mount_flags(uint64_t attributes) {
	unsigned long flags = attributes & MOUNT_ATTR_RDONLY ? MS_RDONLY : 0;

	flags |= attributes & MOUNT_ATTR_NODEV ? MS_NODEV : 0;
	flags |= attributes & MOUNT_ATTR_NOSUID ? MS_NOSUID : 0;
	flags |= attributes & MOUNT_ATTR_NOEXEC ? MS_NOEXEC : 0;
	flags |= attributes & MOUNT_ATTR_NOATIME ? MS_NOATIME : 0;
	return flags;
}

/* Any kernel: mount(2) onto a directory of the scratch, and the tree cloned from there. */
static int mount_classic(const struct stacking *q, struct fs *f) {
	_cleanup_free_ char(*names)[WORKSHOP_NAME_MAX] = calloc(q->n, WORKSHOP_NAME_MAX);
	_cleanup_(upper_paths_done) struct upper_paths paths = { NULL };
	char text[4096], target[WORKSHOP_NAME_MAX];
	int r = names ? attach_upper(q, &paths) : -ENOMEM, fd;

	if (r == 0)
		r = attach_layers(q, names);
	if (r == 0)
		r = format_options(q, names, &paths, text);
	if (r < 0)
		return f->error = r;
	snprintf(target, sizeof(target), "%u", q->workshop->n_attached++);
	if (mkdirat(q->workshop->scratch, target, 0700) < 0 ||
	    mount(q->source, target, "overlay", mount_flags(q->attributes), text) < 0)
		return f->error = -errno;
	fd = open_tree(AT_FDCWD, target, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	return fd < 0 ? f->error = -errno : fd;
}

/* The ladder (DESIGN, stack), best rung first. */
static const struct rung {
	const char *word;
	int (*mount)(const struct stacking *q, struct fs *f);
} rungs[] = {
	{ "fd", mount_by_fd },
	{ "path", mount_by_path },
	{ "classic", mount_classic },
};

/* Whether an older kernel would answer so to something that it does not know. */
static bool is_unknown(int error) {
	return error == -EINVAL || error == -EOPNOTSUPP || error == -ENOSYS ||
	       error == -EBADF;
}

/* Mounts the overlay by the first rung that this kernel knows; the first real error counts. */
static int climb(const struct stacking *q, struct stacking_info *ret) {
	int fd = -ENOSYS, first = 0;

	for (size_t i = 0; i < ARRAY_SIZE(rungs) && (i == 0 || is_unknown(fd)); i++) {
		struct fs f = FS_NONE;

		fd = rungs[i].mount(q, &f);
		if (fd >= 0)
			ret->by = rungs[i].word;
		else if (!ret->why && f.complaint)
			ret->why = TAKE_PTR(f.complaint);
		if (i == 0)
			first = fd;
		fs_done(&f);
	}
	return fd >= 0 ? fd : is_unknown(fd) ? first : fd;
}

/*
 * EINVAL has many causes, one of which people meet: the host's own tree lies on an overlay that lies on
 * another one, and the kernel ends there. The host alone over an empty layer shows it.
 */
static bool is_too_deep(const struct stacking *q) {
	const int pair[] = { q->layers[0], q->h->base };
	struct stacking_info info = { .by = NULL };
	struct stacking alone = *q;
	struct statfs fs;
	int fd;

	if (q->h->base < 0 || fstatfs(q->h->base, &fs) < 0 ||
	    fs.f_type != OVERLAYFS_SUPER_MAGIC)
		return false;
	alone.layers = pair;
	alone.n = ARRAY_SIZE(pair);
	alone.upper = NULL;
	fd = climb(&alone, &info);
	stacking_info_done(&info);
	if (fd < 0)
		return true;
	close(fd);
	return false;
}

static char *explain(const struct stacking *q, int error) {
	if (error == -EINVAL && is_too_deep(q))
		return text_format("the host's /%s is on stacked overlays already, and the "
				   "kernel stacks no deeper than two",
				   q->h->name);
	if (error == -ENODEV)
		return strdup("this kernel has no overlayfs");
	return NULL;
}

int overlay_mount(const struct stacking *s, struct stacking_info *ret) {
	int fd = climb(s, ret);
	char *why = fd < 0 ? explain(s, fd) : NULL;

	if (why) {
		free(ret->why);
		ret->why = why;
	}
	return fd;
}

int overlay_probe(const struct hierarchy *h, struct workshop *w,
		  struct stacking_info *ret) {
	_cleanup_close_ int upper = meta_make(w, -EBADF), lower = -EBADF;
	int pair[2], fd;
	const struct stacking s = { .h = h,
				    .layers = pair,
				    .n = ARRAY_SIZE(pair),
				    .source = "extmerge:probe",
				    .attributes = MOUNT_ATTR_RDONLY,
				    .workshop = w };

	if (upper < 0)
		return upper;
	lower = h->base >= 0 ? fcntl(h->base, F_DUPFD_CLOEXEC, 3) : meta_make(w, -EBADF);
	if (lower < 0)
		return h->base >= 0 ? -errno : lower;
	pair[0] = upper;
	pair[1] = lower;
	fd = overlay_mount(&s, ret);
	if (fd < 0)
		return fd;
	close(fd);
	return 0;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How layers become one mount: the kernel's overlayfs. */
#include "stack.h"

#include <linux/magic.h>
#include <string.h>
#include <sys/vfs.h>

#include "file.h"
#include "fs.h"
#include "kernel.h"
#include "meta.h"
#include "mount.h"
#include "text.h"

/* What one overlay is made of, uppermost first. */
struct request {
	const int *layers;
	size_t n;
	const struct upper *upper; /* NULL for a tree that nobody writes */
	const char *source;
	uint64_t attributes;
	struct workshop *workshop;
};

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
static int mount_by_fd(const struct request *q, struct fs *f) {
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
static int attach_one(const struct request *q, int fd, char name[WORKSHOP_NAME_MAX]) {
	_cleanup_close_ int clone =
		open_tree(fd, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);

	return clone < 0 ? -errno : workshop_attach(q->workshop, clone, name);
}

static int attach_layers(const struct request *q, char (*names)[WORKSHOP_NAME_MAX]) {
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

static int attach_upper(const struct request *q, struct upper_paths *ret) {
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
static int mount_by_path(const struct request *q, struct fs *f) {
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
static int format_options(const struct request *q, char (*names)[WORKSHOP_NAME_MAX],
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
static int mount_classic(const struct request *q, struct fs *f) {
	_cleanup_free_ char(*names)[WORKSHOP_NAME_MAX] = calloc(q->n, WORKSHOP_NAME_MAX);
	_cleanup_(upper_paths_done) struct upper_paths paths = { NULL };
	char text[4096], target[WORKSHOP_NAME_MAX];
	/* MS_RDONLY would be the file system's, which then could not be written later. */
	uint64_t attributes = q->upper ? q->attributes & ~(uint64_t)MOUNT_ATTR_RDONLY
				       : q->attributes;
	int r = names ? attach_upper(q, &paths) : -ENOMEM, fd;

	if (r == 0)
		r = attach_layers(q, names);
	if (r == 0)
		r = format_options(q, names, &paths, text);
	if (r < 0)
		return f->error = r;
	snprintf(target, sizeof(target), "%u", q->workshop->n_attached++);
	if (mkdirat(q->workshop->scratch, target, 0700) < 0 ||
	    mount(q->source, target, "overlay", mount_flags(attributes), text) < 0)
		return f->error = -errno;
	fd = open_tree(AT_FDCWD, target, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (fd >= 0 && q->upper)
		r = mount_set_read_only(fd, true);
	if (r < 0)
		close_fdp(&fd);
	return r < 0 ? f->error = r : fd < 0 ? f->error = -errno : fd;
}

/* The ladder (DESIGN, stack), best rung first. */
static const struct rung {
	const char *word;
	int (*mount)(const struct request *q, struct fs *f);
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
static int mount_overlay(const struct request *q, const char **ret_word, char **ret_why) {
	int fd = -ENOSYS, first = 0;

	for (size_t i = 0; i < ARRAY_SIZE(rungs) && (i == 0 || is_unknown(fd)); i++) {
		struct fs f = FS_NONE;

		fd = rungs[i].mount(q, &f);
		if (fd >= 0)
			*ret_word = rungs[i].word;
		else if (!*ret_why && f.complaint)
			*ret_why = TAKE_PTR(f.complaint);
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
static void explain(const struct hierarchy *h, const struct request *q, char **ret_why) {
	const int pair[] = { q->layers[0], h->base };
	struct request alone = *q;
	struct statfs fs;
	const char *word;
	_cleanup_free_ char *why = NULL;
	_cleanup_close_ int fd = -EBADF;

	if (h->base < 0 || fstatfs(h->base, &fs) < 0 || fs.f_type != OVERLAYFS_SUPER_MAGIC)
		return;
	alone.layers = pair;
	alone.n = ARRAY_SIZE(pair);
	alone.upper = NULL;
	fd = mount_overlay(&alone, &word, &why);
	if (fd >= 0)
		return;
	free(*ret_why);
	*ret_why =
		text_format("the host's /%s is on stacked overlays already, and the kernel "
			    "stacks no deeper than two",
			    h->name);
}

/* Whether the host's own directory is the lowest layer. */
static bool is_bottom(const struct hierarchy *h) {
	return hierarchy_base_is_layer(h) && !hierarchy_base_is_top(h);
}

/*
 * More layers than one overlay takes: the lowest extensions become an overlay of their own, which is
 * then the lowest extension. The host stays a layer of the outer one, so that it is never deeper
 * than it has to be.
 */
static int group_lowest(const struct hierarchy *h, struct request *q, int *layers,
			char **ret_why) {
	size_t n_own = is_bottom(h), excess = q->n - STACK_LAYERS_MAX + 1;
	size_t at = q->n - n_own - excess;
	char name[WORKSHOP_NAME_MAX];
	struct request lowest = *q;
	const char *word;
	int fd, r;

	lowest.layers = layers + at;
	lowest.n = excess;
	lowest.upper = NULL;
	fd = mount_overlay(&lowest, &word, ret_why);
	if (fd < 0)
		return fd;
	r = workshop_attach(q->workshop, fd, name);
	if (r < 0) {
		close_fdp(&fd);
		return r;
	}
	layers[at] = fd; /* the layers that it stands for are the hierarchy's to close */
	if (n_own > 0)
		layers[at + 1] = h->base;
	q->n = at + 1 + n_own;
	return fd;
}

/* Top first (mutable.10, mutable.20). */
static size_t list_layers(const struct hierarchy *h, int meta, int *ret) {
	size_t n = 0;

	ret[n++] = meta;
	if (h->upper && h->upper->is_imported && !h->upper->is_host)
		ret[n++] = h->upper->directory;
	if (hierarchy_base_is_layer(h) && hierarchy_base_is_top(h))
		ret[n++] = h->base;
	for (size_t i = h->n_layers; i > 0; i--)
		ret[n++] = h->layers[i - 1].fd;
	if (is_bottom(h))
		ret[n++] = h->base;
	return n;
}

static int mount_layers(const struct hierarchy *h, struct workshop *w, int meta,
			struct record *r, char **ret_why) {
	_cleanup_free_ int *layers = calloc(h->n_layers + 4, sizeof(int));
	_cleanup_free_ char *source = stack_source(r);
	_cleanup_close_ int group = -EBADF;
	struct request q = {
		.layers = layers,
		.source = source,
		.upper = hierarchy_is_writable(h) ? h->upper : NULL,
		/* What can be written will be so when the switch has succeeded (mutable.11). */
		.attributes = MOUNT_ATTR_RDONLY | h->class->mount_attributes |
			      (hierarchy_is_writable(h) ? MOUNT_ATTR_NOATIME : 0),
		.workshop = w,
	};
	const char *word = NULL;
	int fd;

	if (!layers || !source)
		return -ENOMEM;
	q.n = list_layers(h, meta, layers);
	if (q.n > STACK_LAYERS_MAX) {
		group = group_lowest(h, &q, layers, ret_why);
		if (group < 0)
			return group;
	}
	fd = mount_overlay(&q, &word, ret_why);
	if (fd == -EINVAL)
		explain(h, &q, ret_why);
	if (fd < 0)
		return fd;
	free(r->layers_by);
	r->layers_by = strdup(word);
	if (!r->layers_by)
		close_fdp(&fd);
	return r->layers_by ? fd : -ENOMEM;
}

/* The mounts of the host go where they were, in the tree that nobody sees yet. */
static int attach_submounts(const struct workshop *w, const char *name,
			    const struct stack_submount *submounts, size_t n,
			    char **ret_why) {
	for (size_t i = 0; i < n; i++) {
		_cleanup_free_ char *path = text_format("%s/%s", name, submounts[i].path);

		if (!path)
			return -ENOMEM;
		if (move_mount(submounts[i].fd, "", w->scratch, path,
			       MOVE_MOUNT_F_EMPTY_PATH) == 0)
			continue;
		if (!*ret_why)
			*ret_why = text_format(
				"the mount at '%s' has no place in the merged tree",
				submounts[i].path);
		return -errno;
	}
	return 0;
}

/* mutable.9: a detached mount of `fd`, one of ours, at a place in the tree that is attached as `name`. */
static int attach_at(const struct workshop *w, int fd, const char *name,
		     const char *place, bool is_read_only) {
	_cleanup_free_ char *path = text_format("%s/%s", name, place);
	_cleanup_close_ int clone =
		open_tree(fd, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	int r = clone < 0 ? -errno : 0;

	if (r == 0 && is_read_only)
		r = mount_set_read_only(clone, true);
	if (r < 0 || !path)
		return r < 0 ? r : -ENOMEM;
	return move_mount(clone, "", w->scratch, path, MOVE_MOUNT_F_EMPTY_PATH) < 0
		       ? -errno
		       : 0;
}

static int attach_place(const struct hierarchy *h, const struct workshop *w, int place,
			const char *name) {
	int r = attach_at(w, place, name, META_PLACE, true);

	if (r < 0 || h->upper->memory < 0)
		return r;
	return attach_at(w, h->upper->memory, name, META_PLACE "/" META_MEMORY, false);
}

int stack_build(const struct hierarchy *h, struct workshop *w, struct record *r,
		const struct stack_submount *submounts, size_t n_submounts,
		struct stack *ret, char **ret_why) {
	_cleanup_close_ int meta = -EBADF, overlay = -EBADF, place = -EBADF;
	char name[WORKSHOP_NAME_MAX];
	char *why = NULL;
	int e;

	free(r->backend);
	r->backend = strdup("overlay");
	meta = r->backend ? meta_make(w, r->created ? -EBADF : h->base) : -ENOMEM;
	e = meta < 0 ? meta : 0;
	if (e == 0 && hierarchy_is_writable(h))
		e = place = meta_make_place(w, meta);
	if (e >= 0)
		e = overlay = mount_layers(h, w, meta, r, &why);
	if (e >= 0)
		e = stack_write_record(place >= 0 ? place : meta, r);
	if (e == 0)
		e = workshop_attach(w, overlay, name);
	if (e == 0 && place >= 0)
		e = attach_place(h, w, place, name);
	if (e == 0)
		e = attach_submounts(w, name, submounts, n_submounts, &why);
	if (e == 0) {
		*ret = (struct stack){ .tree = -EBADF, .meta = -EBADF };
		ret->tree = open_tree(w->scratch, name,
				      OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE |
					      AT_NO_AUTOMOUNT);
		e = ret->tree < 0 ? -errno : 0;
	}
	if (e == 0)
		ret->meta = place >= 0 ? TAKE_FD(place) : TAKE_FD(meta);
	if (e < 0)
		*ret_why = TAKE_PTR(why);
	free(why);
	return e;
}

void stack_done(struct stack *s) {
	close_fdp(&s->tree);
	close_fdp(&s->meta);
}

int stack_write_record(int meta, const struct record *r) {
	_cleanup_free_ char *text = NULL;
	int e = record_print(r, &text);

	return e < 0 ? e : meta_write(meta, text, strlen(text));
}

int stack_read_record(int tree, struct record **ret) {
	_cleanup_free_ char *text = NULL;
	size_t len;
	int e = meta_read(tree, &text, &len);

	return e < 0 ? e : record_parse(text, len, ret);
}

char *stack_source(const struct record *r) {
	return text_format(STACK_SOURCE_PREFIX "%s:%s:%llu%s%s", r->class->name,
			   r->hierarchy, (unsigned long long)r->generation,
			   r->service ? "@" : "", r->service ?: "");
}

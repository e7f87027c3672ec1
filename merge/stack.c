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
#include "text.h"

/* What one overlay is made of, uppermost first. */
struct request {
	const int *layers;
	size_t n;
	const char *source;
	uint64_t attributes;
	struct workshop *workshop;
};

/*
 * Options of every overlay. nofollow and metacopy=off: a layer's attributes must never lead to files
 * that are not at that path; redirect_dir=off would still follow them (layer.4). xino=off: the tree is
 * read-only, and each layer keeps its own inode numbers.
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
	for (size_t i = 0; i < ARRAY_SIZE(options); i++)
		fs_set(f, options[i][0], options[i][1]);
	fs_set_flag(f, "ro");
	return fs_mount(f, q->attributes);
}

/*
 * Older kernels want paths. Each layer is attached in the scratch, whose directories have short names;
 * the working directory is there, so that the names are all that has to be said.
 */
static int attach_layers(const struct request *q, char (*names)[WORKSHOP_NAME_MAX]) {
	for (size_t i = 0; i < q->n; i++) {
		_cleanup_close_ int clone = open_tree(q->layers[i], "",
						      AT_EMPTY_PATH | OPEN_TREE_CLONE |
							      OPEN_TREE_CLOEXEC);
		int r = clone < 0 ? -errno
				  : workshop_attach(q->workshop, clone, names[i]);

		if (r < 0)
			return r;
	}
	return fchdir(q->workshop->scratch) < 0 ? -errno : 0;
}

/* Linux 6.8: one option for each path. */
static int mount_by_path(const struct request *q, struct fs *f) {
	_cleanup_free_ char(*names)[WORKSHOP_NAME_MAX] = calloc(q->n, WORKSHOP_NAME_MAX);
	int r = names ? attach_layers(q, names) : -ENOMEM;

	if (r < 0)
		return f->error = r;
	fs_open(f, "overlay");
	fs_set(f, "source", q->source);
	for (size_t i = 0; i < q->n; i++)
		fs_set(f, "lowerdir+", names[i]);
	for (size_t i = 0; i < ARRAY_SIZE(options); i++)
		fs_set(f, options[i][0], options[i][1]);
	fs_set_flag(f, "ro");
	return fs_mount(f, q->attributes);
}

/* The option text of mount(2), which the kernel would cut at a page without a word. */
static int format_options(const struct request *q, char (*names)[WORKSHOP_NAME_MAX],
			  char text[static 4096]) {
	size_t len = 0;

	for (size_t i = 0; i < q->n && len < 4096; i++)
		len += (size_t)snprintf(text + len, 4096 - len, "%s%s",
					i ? ":" : "lowerdir=", names[i]);
	for (size_t i = 0; i < ARRAY_SIZE(options) && len < 4096; i++)
		len += (size_t)snprintf(text + len, 4096 - len, ",%s=%s", options[i][0],
					options[i][1]);
	return len < 4096 ? 0 : -E2BIG;
}

static unsigned long mount_flags(uint64_t attributes) {
	unsigned long flags = MS_RDONLY;

	flags |= attributes & MOUNT_ATTR_NODEV ? MS_NODEV : 0;
	flags |= attributes & MOUNT_ATTR_NOSUID ? MS_NOSUID : 0;
	flags |= attributes & MOUNT_ATTR_NOEXEC ? MS_NOEXEC : 0;
	return flags;
}

/* Any kernel: mount(2) onto a directory of the scratch, and the tree cloned from there. */
static int mount_classic(const struct request *q, struct fs *f) {
	_cleanup_free_ char(*names)[WORKSHOP_NAME_MAX] = calloc(q->n, WORKSHOP_NAME_MAX);
	char text[4096], target[WORKSHOP_NAME_MAX];
	int r = names ? attach_layers(q, names) : -ENOMEM, fd;

	if (r == 0)
		r = format_options(q, names, text);
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
	fd = mount_overlay(&alone, &word, &why);
	if (fd >= 0)
		return;
	free(*ret_why);
	*ret_why =
		text_format("the host's /%s is on stacked overlays already, and the kernel "
			    "stacks no deeper than two",
			    h->name);
}

/*
 * More layers than one overlay takes: the lowest extensions become an overlay of their own, which is
 * then the lowest extension. The host stays a layer of the outer one, so that it is never deeper
 * than it has to be.
 */
static int group_lowest(const struct hierarchy *h, struct request *q, int *layers,
			char **ret_why) {
	size_t n_own = h->base >= 0 ? 1 : 0, excess = q->n - STACK_LAYERS_MAX + 1;
	size_t at = q->n - n_own - excess;
	char name[WORKSHOP_NAME_MAX];
	struct request lowest = *q;
	const char *word;
	int fd, r;

	lowest.layers = layers + at;
	lowest.n = excess;
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

static int mount_layers(const struct hierarchy *h, struct workshop *w, int meta,
			struct record *r, char **ret_why) {
	_cleanup_free_ int *layers = calloc(h->n_layers + 2, sizeof(int));
	_cleanup_free_ char *source = stack_source(r);
	_cleanup_close_ int group = -EBADF;
	struct request q = {
		.layers = layers,
		.source = source,
		.attributes = MOUNT_ATTR_RDONLY | h->class->mount_attributes,
		.workshop = w,
	};
	const char *word = NULL;
	int fd;

	if (!layers || !source)
		return -ENOMEM;
	layers[q.n++] = meta;
	for (size_t i = h->n_layers; i > 0; i--)
		layers[q.n++] = h->layers[i - 1].fd;
	if (h->base >= 0)
		layers[q.n++] = h->base;
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

int stack_build(const struct hierarchy *h, struct workshop *w, struct record *r,
		const struct stack_submount *submounts, size_t n_submounts,
		struct stack *ret, char **ret_why) {
	_cleanup_close_ int meta = -EBADF, overlay = -EBADF;
	char name[WORKSHOP_NAME_MAX];
	char *why = NULL;
	int e;

	free(r->backend);
	r->backend = strdup("overlay");
	meta = r->backend ? meta_make(w, r->created ? -EBADF : h->base) : -ENOMEM;
	e = meta < 0 ? meta : 0;
	if (e == 0)
		e = overlay = mount_layers(h, w, meta, r, &why);
	if (e >= 0)
		e = stack_write_record(meta, r);
	if (e == 0)
		e = workshop_attach(w, overlay, name);
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
		ret->meta = TAKE_FD(meta);
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
	return text_format(STACK_SOURCE_PREFIX "%s:%s:%llu", r->class->name, r->hierarchy,
			   (unsigned long long)r->generation);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What was written in merged trees, made into the tree of an extension. */
#include "carry.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "copy.h"
#include "file.h"
#include "meta.h"
#include "strv.h"
#include "text.h"
#include "tree.h"
#include "workdir.h"

#define ENTRIES_MAX 100000

/* written.10: what was written was seen whatever the host's version. */
static const char release[] = "# written by extmerge commit\nID=_any\n";

/* One upper layer on its way. */
struct load {
	struct carry *carry;
	const struct hierarchy *h;
	struct written_left *left;
	int from, to;
	bool has_any;
};

static int leave(struct load *l, const struct written_change *c, const char *why) {
	bool is_whole = S_ISDIR(c->st.st_mode) && c->kind != WRITTEN_REMOVED &&
			(c->is_opaque || c->what & WRITTEN_TYPE);
	int r = written_leave(l->left, c->path, why, is_whole);

	return r < 0 ? r : is_whole ? TREE_SKIP : 0;
}

static int take(const struct written_change *c, void *data) {
	struct load *l = data;
	const char *why = written_refuse(c, l->h);
	_cleanup_free_ char *path = NULL;
	int r;

	if (why)
		return leave(l, c, why);
	l->has_any = true;
	l->carry->n++;
	r = copy_parents(l->from, l->to, c->path);
	if (r == 0)
		r = copy_entry(l->from, l->to, c->path, false);
	if (r < 0 || S_ISDIR(c->st.st_mode))
		return r;
	path = text_format("%s/%s", l->h->name, c->path);
	return path ? strv_append(&l->carry->paths, path) : -ENOMEM;
}

/* A directory of the tree, which looks like `model` if it is new. */
static int open_hierarchy(int tree, const char *name, int model) {
	_cleanup_close_ int fd = -EBADF;
	int r = mkdirat(tree, name, 0755) < 0 ? -errno : 0;
	bool is_new = r == 0;

	if (r < 0 && r != -EEXIST)
		return r;
	fd = file_open_exact(tree, name, O_RDONLY | O_DIRECTORY);
	r = fd >= 0 && is_new ? meta_copy_looks(model, fd) : 0;
	return r < 0 ? r : TAKE_FD(fd);
}

int carry_layer(struct carry *c, const struct hierarchy *h, int upper,
		struct written_left *left) {
	_cleanup_close_ int to = open_hierarchy(c->tree, h->name, upper);
	struct load l = { c, h, left, upper, to, false };
	int r = to < 0 ? to : written_walk(h, upper, take, &l);

	if (r == 0 && l.has_any)
		return copy_times(upper, to);
	if (r == 0 && unlinkat(c->tree, h->name, AT_REMOVEDIR) < 0)
		r = -errno;
	return r;
}

static int make_directories(int tree, const char *path) {
	_cleanup_free_ char *at = strdup(path);
	int r = at ? 0 : -ENOMEM;

	for (char *slash = at; r == 0 && slash;) {
		slash = strchr(slash + 1, '/');
		if (slash)
			*slash = '\0';
		if (mkdirat(tree, at, 0755) < 0 && errno != EEXIST)
			r = -errno;
		if (slash)
			*slash = '/';
	}
	return r;
}

int carry_release(struct carry *c, const struct class *class, const char *name) {
	_cleanup_free_ char *path = text_format("%s/extension-release.%s",
						class->release_dir, name);
	_cleanup_close_ int fd = -EBADF;
	int r = path ? make_directories(c->tree, class->release_dir) : -ENOMEM;

	if (r < 0)
		return r;
	fd = file_open_exact(c->tree, class->release_dir, O_PATH | O_DIRECTORY);
	if (fd < 0)
		return fd;
	if (unlinkat(fd, strrchr(path, '/') + 1, 0) < 0 && errno != ENOENT)
		return -errno;
	r = openat(fd, strrchr(path, '/') + 1, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
		   0644);
	if (r < 0)
		return -errno;
	close_fdp(&fd);
	fd = r;
	return write(fd, release, strlen(release)) == (ssize_t)strlen(release) ? 0 : -EIO;
}

#define STAGE_SUFFIX ".extmerge-commit"

/* With a dot in front, it is no extension (discover.entries). */
char *carry_stage_name(const char *name) {
	return text_format(".%s" STAGE_SUFFIX, name);
}

void carry_sweep(int root, const char *directory) {
	_cleanup_close_ int fd = file_open_in(root, directory, O_PATH | O_DIRECTORY);
	_cleanup_strv_ char **names = NULL;

	if (fd < 0 || file_list(fd, ENTRIES_MAX, &names) < 0)
		return;
	for (char **name = names; name && *name; name++) {
		size_t len = strlen(*name);

		if (**name == '.' && len > strlen(STAGE_SUFFIX) &&
		    strcmp(*name + len - strlen(STAGE_SUFFIX), STAGE_SUFFIX) == 0)
			(void)workdir_remove(fd, *name);
	}
}

void carry_done(struct carry *c) {
	strv_free(c->paths);
	*c = (struct carry){ .tree = -EBADF };
}

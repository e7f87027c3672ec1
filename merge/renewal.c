/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A new upper layer in place of one that is written. */
#include "renewal.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "copy.h"
#include "file.h"
#include "meta.h"
#include "text.h"
#include "workdir.h"
#include "written.h"

static char *fresh_name(const char *name) {
	return text_format(".%s.extmerge-new", name);
}

char *renewal_id(int fd) {
	struct stat st;

	if (fstat(fd, &st) < 0)
		return NULL;
	return text_format("%llx:%llu", (unsigned long long)st.st_dev,
			   (unsigned long long)st.st_ino);
}

static bool is_at(int parent, const char *name, int fd) {
	struct stat a, b;

	return fd >= 0 && fstat(fd, &a) == 0 &&
	       fstatat(parent, name, &b, AT_SYMLINK_NOFOLLOW) == 0 &&
	       a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

/* A new directory, which only root comes into: the owner of one that is copied must not change it under our hands. */
static int make(struct upper *u, int *ret) {
	int r;

	u->fresh = fresh_name(u->name);
	if (!u->fresh)
		return -ENOMEM;
	r = workdir_remove(u->parent, u->fresh);
	if (r < 0)
		return r;
	if (mkdirat(u->parent, u->fresh, 0700) < 0)
		return -errno;
	*ret = file_open_exact(u->parent, u->fresh, O_PATH | O_DIRECTORY);
	return *ret < 0 ? *ret : 0;
}

/* It is complete, and looks like the layer, whose marks of overlayfs are left out. */
static int open_to_all(const struct upper *u, int fresh) {
	_cleanup_close_ int fd = file_reopen(fresh, O_RDONLY | O_DIRECTORY);

	return fd < 0 ? fd : meta_copy_looks(u->old, fd);
}

/* written.9 */
static int take_over(const struct upper *u, const struct written_left *keeps, int fresh) {
	int r = 0;

	for (size_t i = 0; keeps && r == 0 && i < keeps->n; i++) {
		const struct written_left_item *k = &keeps->items[i];

		r = copy_parents(u->old, fresh, k->path);
		if (r == 0)
			r = k->is_whole ? copy_tree(u->old, fresh, k->path)
					: copy_entry(u->old, fresh, k->path, true);
	}
	return r == 0 && keeps ? copy_times(u->old, fresh) : r;
}

int renewal_begin(struct upper *u, int root, const struct written_left *keeps,
		  char **ret_why) {
	int fresh = -EBADF, r;

	if (!u->is_writable || u->is_host)
		return -ENODATA;
	r = upper_open_place(u, root, ret_why);
	if (r < 0)
		return r == -ENOENT ? -ENODATA : r;
	u->old = file_open_exact(u->parent, u->name, O_PATH | O_DIRECTORY);
	if (u->old < 0)
		return u->old == -ENOENT ? -ENODATA : u->old;
	r = make(u, &fresh);
	if (r == 0)
		r = take_over(u, keeps, fresh);
	if (r == 0)
		r = open_to_all(u, fresh);
	if (r < 0 || mutable_forgets(u->mode)) {
		close_fdp(&fresh);
		return r;
	}
	close_fdp(&u->directory);
	u->directory = fresh;
	return 0;
}

int renewal_exchange(const struct upper *u) {
	return renameat2(u->parent, u->fresh, u->parent, u->name, RENAME_EXCHANGE) < 0
		       ? -errno
		       : 0;
}

void renewal_end(struct upper *u, bool is_done) {
	/* Whatever else has come to that name is not ours to remove. */
	if (u->fresh && is_at(u->parent, u->fresh, u->old) == is_done)
		(void)workdir_remove(u->parent, u->fresh);
	free(u->fresh);
	u->fresh = NULL;
}

int renewal_heal(int parent, const char *name, const char *id) {
	_cleanup_free_ char *fresh = fresh_name(name), *own = NULL;
	_cleanup_close_ int fd = -EBADF;

	if (!fresh)
		return -ENOMEM;
	fd = file_open_exact(parent, fresh, O_PATH | O_DIRECTORY);
	if (fd == -ENOENT)
		return 0;
	own = fd < 0 ? NULL : renewal_id(fd);
	if (fd >= 0 && !own)
		return -ENOMEM;
	if (own && id && strcmp(own, id) == 0 &&
	    renameat2(parent, fresh, parent, name, RENAME_EXCHANGE) < 0)
		return -errno;
	return workdir_remove(parent, fresh);
}

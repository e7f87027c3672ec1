/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Clones of directories of layers, moved to their places in the union. */
#include "grafts.h"

#include <fcntl.h>
#include <string.h>

#include "../merge/kernel.h"
#include "../merge/strv.h"
#include "../merge/text.h"
#include "layers.h"
#include "subtrees.h"

/* A detached mount of the directory, without the mounts inside of it; or a negative errno. */
static int clone_subtree(int layer, const struct subtree *t, uint64_t attributes) {
	struct mount_attr a = {
		.attr_set = attributes | MOUNT_ATTR_RDONLY,
		.attr_clr = ~attributes & (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
					   MOUNT_ATTR_NOEXEC | MOUNT_ATTR_NOSYMFOLLOW),
	};
	_cleanup_close_ int from = layers_open(layer, t->path, O_PATH | O_DIRECTORY);
	_cleanup_close_ int fd = -EBADF;

	if (from < 0)
		return from;
	/* The layer is to be read only: times of access as well. */
	a.attr_set = (a.attr_set & ~(uint64_t)MOUNT_ATTR__ATIME) | MOUNT_ATTR_NOATIME;
	a.attr_clr |= MOUNT_ATTR__ATIME;
	fd = open_tree(from, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
	if (fd < 0 || mount_setattr(fd, "", AT_EMPTY_PATH, &a, sizeof(a)) < 0)
		return -errno;
	return TAKE_FD(fd);
}

static int attach(int mount, int layer, const struct subtree *t, uint64_t attributes) {
	_cleanup_close_ int fd = clone_subtree(layer, t, attributes), to = -EBADF;

	if (fd < 0)
		return fd;
	to = layers_open(mount, t->path, O_PATH | O_DIRECTORY);
	if (to < 0)
		return to;
	return move_mount(fd, "", to, "",
			  MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0
		       ? -errno
		       : 0;
}

static int note_failed(char ***list, const char *what, int error) {
	_cleanup_free_ char *text = text_format("%s: %s", what, strerror(-error));

	return text ? strv_append(list, text) : -ENOMEM;
}

int grafts_attach(int mount, const int *layers, unsigned n,
		  const struct attach_union_options *o, unsigned max, char ***ret,
		  char ***ret_failed) {
	struct subtree found[SUBTREES_MAX];
	int count = subtrees_find(layers, n, o->space, max, found), r = 0;

	if (count < 0)
		return count == -ENOMEM ? count
					: note_failed(ret_failed, "none is found", count);
	for (int i = 0; i < count; i++) {
		int e = r < 0 ? r
			      : attach(mount, layers[found[i].layer], &found[i],
				       o->attributes);

		if (r == 0)
			r = e == 0 ? strv_append(ret, found[i].path)
				   : note_failed(ret_failed, found[i].path, e);
		free(found[i].path);
	}
	return r;
}

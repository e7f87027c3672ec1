/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A tmpfs that is written, in place of a directory. */
#include "memory.h"

#include <fcntl.h>

#include "file.h"
#include "fs.h"
#include "kernel.h"
#include "meta.h"
#include "mount.h"
#include "mutable.h"
#include "renewal.h"

/* The place is in the tree, where who writes it could have made a directory: but not have mounted one. */
int memory_take(int tree) {
	_cleanup_close_ int at = file_open_in(tree, META_PLACE "/" META_MEMORY,
					      O_PATH | O_DIRECTORY);
	int fd;

	/* switch.15: a tree whose server is dead may not let anybody through. */
	if (at == -ENOTDIR || at == -ENOTCONN || at == -ECONNABORTED)
		return -ENOENT;
	if (at < 0)
		return at;
	if (mount_is_root(at) != 1)
		return -ENOENT;
	fd = open_tree(at, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int memory_open_layer(int memory) {
	return file_open_exact(memory, MEMORY_LAYER, O_PATH | O_DIRECTORY);
}

int memory_heal(int memory, const char *id) {
	_cleanup_close_ int parent = file_open_exact(memory, ".", O_PATH | O_DIRECTORY);

	return parent < 0 ? parent : renewal_heal(parent, MEMORY_LAYER, id);
}

int memory_make(const char *size) {
	struct fs f = FS_NONE;
	int fd;

	fs_open(&f, "tmpfs");
	fs_set(&f, "source", META_SOURCE "memory");
	fs_set(&f, "mode", "0700");
	fs_set(&f, "size", size && *size ? size : MUTABLE_SIZE_DEFAULT);
	fd = fs_mount(&f, 0);
	fs_done(&f);
	return fd;
}

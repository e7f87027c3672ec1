/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the layers can, and how one reads their marks without /proc. */
#include "layers.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/vfs.h>
#include <sys/xattr.h>

#include "../merge/kernel.h"

#define FUSE_MAGIC 0x65735546
#define EROFS_MAGIC 0xE0F5E1E2

static bool refuses(ssize_t n) {
	return n == -EOPNOTSUPP;
}

/* A file system without extended attributes says so; squashfs without a table of them only when it lists. */
static int probe_xattrs(struct layers *l, struct layer *layer) {
	bool lists = !refuses(layers_list_xattrs(layer->fd, ".", NULL, 0));

	layer->has_xattrs =
		lists &&
		!refuses(layers_xattr(layer->fd, ".", "security.capability", NULL, 0));
	l->have_xattrs |= layer->has_xattrs;
	l->have_acls |= lists &&
			!refuses(layers_xattr(layer->fd, ".", "system.posix_acl_access",
					      NULL, 0));
	return 0;
}

/* FUSE with passthrough, and EROFS from a file, are. */
static bool is_stacked(const struct statfs *fs) {
	static const unsigned long types[] = { OVERLAYFS_SUPER_MAGIC, FUSE_MAGIC,
					       ECRYPTFS_SUPER_MAGIC, EROFS_MAGIC };

	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if ((unsigned long)fs->f_type == types[i])
			return true;
	return false;
}

static int look(struct layers *l, struct layer *layer, int fd) {
	struct statfs fs;
	struct stat st;

	if (fstat(fd, &st) < 0 || fstatfs(fd, &fs) < 0)
		return -errno;
	if (!S_ISDIR(st.st_mode))
		return -ENOTDIR;
	if (layers_is_root(l, &st))
		return -ELOOP;
	*layer = (struct layer){
		.fd = fd,
		.device = st.st_dev,
		.root = st.st_ino,
		.stat_all = fs.f_type == OVERLAYFS_SUPER_MAGIC,
		.stat_directories = fs.f_type == BTRFS_SUPER_MAGIC,
	};
	l->are_stacked |= is_stacked(&fs);
	return probe_xattrs(l, layer);
}

int layers_init(struct layers *l, const int *fds, unsigned n, enum whiteout_space space) {
	int r = 0;

	*l = (struct layers){ .space = space };
	if (n < 1 || n > LAYERS_MAX)
		return -EINVAL;
	l->list = calloc(n, sizeof(*l->list));
	if (!l->list)
		return -ENOMEM;
	for (; r == 0 && l->n < n; l->n += r == 0)
		r = look(l, &l->list[l->n], fds[l->n]);
	return r;
}

void layers_done(struct layers *l) {
	free(l->list);
	inode_devices_done(&l->devices);
}

bool layers_is_root(const struct layers *l, const struct stat *st) {
	for (unsigned i = 0; i < l->n; i++)
		if (l->list[i].root == st->st_ino && l->list[i].device == st->st_dev)
			return true;
	return false;
}

int layers_open(int directory, const char *path, int flags) {
	const struct open_how how = {
		.flags = (uint64_t)(flags | O_CLOEXEC | O_NOFOLLOW),
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS |
			   RESOLVE_NO_XDEV,
	};
	int fd = sys_openat2(directory, path, &how);

	return fd < 0 ? -errno : fd;
}

bool layers_is_gone(int error) {
	return error == -ENOENT || error == -ENOTDIR || error == -ELOOP ||
	       error == -ESTALE;
}

/* Kernels before 6.13 look at a name of the working directory only. */
ssize_t layers_xattr(int directory, const char *name, const char *attribute, void *value,
		     size_t size) {
	ssize_t n = sys_getxattrat(directory, name, AT_SYMLINK_NOFOLLOW, attribute, value,
				   size);

	if (n >= 0 || errno != ENOSYS)
		return n < 0 ? -errno : n;
	if (fchdir(directory) < 0)
		return -errno;
	n = lgetxattr(name, attribute, value, size);
	return n < 0 ? -errno : n;
}

ssize_t layers_list_xattrs(int directory, const char *name, char *list, size_t size) {
	ssize_t n = sys_listxattrat(directory, name, AT_SYMLINK_NOFOLLOW, list, size);

	if (n >= 0 || errno != ENOSYS)
		return n < 0 ? -errno : n;
	if (fchdir(directory) < 0)
		return -errno;
	n = llistxattr(name, list, size);
	return n < 0 ? -errno : n;
}

int layers_readlink(int directory, const char *name, char *target, size_t size) {
	ssize_t n = readlinkat(directory, name, target, size);

	if (n < 0)
		return -errno;
	if ((size_t)n == size)
		return -ENAMETOOLONG;
	target[n] = '\0';
	return 0;
}

static bool is_absent(ssize_t n) {
	return n == -ENODATA || n == -EOPNOTSUPP;
}

int layers_opaque(const struct layers *l, const struct layer *layer, int directory,
		  const char *name) {
	char value[2];
	ssize_t n;

	if (!layer->has_xattrs)
		return WHITEOUT_MERGES;
	n = layers_xattr(directory, name, whiteout_xattr(l->space, WHITEOUT_MARK_OPAQUE),
			 value, sizeof(value));
	if (is_absent(n) || n == -ERANGE)
		return WHITEOUT_MERGES;
	return n < 0 ? (int)n : (int)whiteout_opaque(value, (size_t)n);
}

int layers_has_mark(const struct layers *l, const struct layer *layer, int directory,
		    const char *name, enum whiteout_mark mark) {
	ssize_t n;

	if (!layer->has_xattrs)
		return 0;
	n = layers_xattr(directory, name, whiteout_xattr(l->space, mark), NULL, 0);
	if (is_absent(n))
		return 0;
	return n < 0 ? (int)n : 1;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where what is written in a merged hierarchy goes, or what is imported. */
#include "upper.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "file.h"
#include "memory.h"
#include "meta.h"
#include "mount.h"
#include "renewal.h"
#include "text.h"
#include "workdir.h"

#define IN_MOUNT MEMORY_LAYER /* where the directory is a mount point */

static bool is_same(const struct stat *a, const struct stat *b) {
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* mutable.6: who can write a directory above it can put another one in its place. */
static int check_owner(const struct stat *st, const char *path, const char *what,
		       char **ret_why) {
	if (st->st_uid == 0 && (st->st_mode & (S_IWGRP | S_IWOTH)) == 0)
		return 0;
	*ret_why = text_format("%s%s belongs to user %u and has mode %04o: none but root "
			       "may write it",
			       what, path, st->st_uid, st->st_mode & 07777);
	return -EACCES;
}

/*
 * The directory at `path` and all above it, from the root. By their names, as ".." of what lies in "/" leads into the
 * workshop.
 */
static int check_owners(int root, const char *path, char **ret_why) {
	_cleanup_free_ char *at = strdup(path);
	struct stat st;
	int r = at ? 0 : -ENOMEM;

	for (char *slash = at; r == 0 && slash; slash = strchr(slash + 1, '/')) {
		_cleanup_close_ int fd = -EBADF;

		*slash = '\0';
		fd = file_open_in(root, *at ? at : ".", O_PATH | O_DIRECTORY | O_NOFOLLOW);
		*slash = '/';
		if (fd < 0 || fstat(fd, &st) < 0)
			return fd < 0 ? fd : -errno;
		r = check_owner(&st, path, "a directory above ", ret_why);
	}
	return r;
}

/* The path of the directory below the root, all links resolved; NULL where it has none. */
static char *path_below(int root, int fd) {
	char link[FILE_FD_PATH_MAX], whole[4096], prefix[4096];
	ssize_t n, m;

	file_fd_path(fd, link);
	n = readlink(link, whole, sizeof(whole) - 1);
	file_fd_path(root, link);
	m = readlink(link, prefix, sizeof(prefix) - 1);
	if (n <= 0 || m <= 0 || whole[0] != '/')
		return NULL;
	whole[n] = '\0';
	if (m > 1 && n > m && strncmp(whole, prefix, (size_t)m) == 0 && whole[m] == '/')
		return strdup(whole + m);
	return strdup(whole);
}

/* Whether the directory's place in the store is taken by a link that leads nowhere (mutable.3). */
static bool is_dangling(int store, const char *name) {
	struct stat st;

	return fstatat(store, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(st.st_mode);
}

static int note(struct upper *u, char *text) {
	u->note = text;
	return text ? 0 : -ENOMEM;
}

/* mutable.7: the root of the tree will look like it. */
static int check_looks(const struct upper *u, int base, const char *name, char **ret_why) {
	struct stat own, st;

	if (base < 0 || !mutable_keeps(u->mode))
		return 0;
	if (fstat(base, &own) < 0 || fstat(u->directory, &st) < 0)
		return -errno;
	if (own.st_uid == st.st_uid && own.st_gid == st.st_gid &&
	    (own.st_mode & 07777) == (st.st_mode & 07777))
		return 0;
	*ret_why =
		text_format("%s has mode %04o, owner %u and group %u, and /%s has %04o, "
			    "%u and %u",
			    u->path, st.st_mode & 07777, st.st_uid, st.st_gid, name,
			    own.st_mode & 07777, own.st_uid, own.st_gid);
	return -EBADMSG;
}

/* What is mounted has nothing beside it on its mount: then the layer is a directory in it (mutable.4). */
static int enter_mount(struct upper *u, char **ret_why) {
	int r = mount_is_root(u->directory), fd;
	char *path;

	if (r <= 0 || !mutable_keeps(u->mode))
		return r;
	if (u->is_host) {
		*ret_why =
			text_format("%s is a mount point, and what overlayfs works with "
				    "must lie beside it on the same mount",
				    u->path);
		return -EXDEV;
	}
	path = text_format("%s/" IN_MOUNT, u->path);
	if (!path)
		return -ENOMEM;
	free(u->path);
	u->path = path;
	fd = file_open_exact(u->directory, IN_MOUNT, O_PATH | O_DIRECTORY);
	u->parent = TAKE_FD(u->directory);
	u->directory = fd == -ENOENT ? -EBADF : fd;
	return fd == -ENOENT ? 0 : fd < 0 ? fd : 0;
}

static int judge(struct upper *u, int root, const char *name, int base, char **ret_why) {
	struct stat own, st;
	int r;

	if (fstat(u->directory, &st) < 0)
		return -errno;
	u->is_host = base >= 0 && fstat(base, &own) == 0 && is_same(&own, &st);
	u->path = path_below(root, u->directory);
	if (!u->path)
		return -ENOENT;
	r = check_owner(&st, u->path, "", ret_why);
	if (r == 0)
		r = check_owners(root, u->path, ret_why);
	if (r == 0)
		r = enter_mount(u, ret_why);
	if (r == 0 && u->directory >= 0)
		r = check_looks(u, base, name, ret_why);
	u->is_writable = u->directory >= 0 ? mutable_keeps(u->mode)
					   : u->mode == MUTABLE_YES;
	u->is_imported = mutable_imports(u->mode);
	return r;
}

static int look(struct upper *u, int root, const char *name, int base, char **ret_why) {
	_cleanup_close_ int store = file_open_in(root, UPPER_STORE, O_PATH | O_DIRECTORY);
	_cleanup_free_ char *path = text_format("/" UPPER_STORE "/%s", name);
	int r;

	if (!path)
		return -ENOMEM;
	if (store >= 0) {
		_cleanup_free_ char *below = path_below(root, store);
		_cleanup_free_ char *in = below ? text_format("%s/", below) : NULL;

		r = in ? check_owners(root, in, ret_why) : -ENOMEM;
		if (r < 0)
			return r;
	} else if (store != -ENOENT) {
		return store;
	}
	u->directory = store < 0 ? store : file_open_in(root, path, O_PATH | O_DIRECTORY);
	if (u->directory >= 0)
		return judge(u, root, name, base, ret_why);
	if (u->directory == -ENOTDIR)
		*ret_why = text_format("%s is no directory", path);
	if (u->directory != -ENOENT)
		return u->directory;
	if (store >= 0 && is_dangling(store, name))
		return note(u, text_format("%s leads nowhere", path));
	u->is_writable = u->mode == MUTABLE_YES;
	u->path = u->is_writable ? strdup(path) : NULL;
	if (u->is_writable)
		return u->path ? 0 : -ENOMEM;
	return note(u, text_format("there is no %s", path));
}

int upper_find(int root, const char *name, int base, enum mutable_mode mode,
	       struct upper *ret, char **ret_why) {
	struct upper u = UPPER_NONE;
	char *why = NULL;
	int r = 0;

	u.mode = mode;
	if (mutable_keeps(mode) || mutable_imports(mode))
		r = look(&u, root, name, base, &why);
	u.is_writable |= mutable_forgets(mode);
	if (r < 0) {
		*ret_why = why;
		upper_done(&u);
		return r;
	}
	*ret = u;
	return 0;
}

int upper_make(struct upper *u, int root, const char *name, int base) {
	_cleanup_close_ int store = -EBADF;
	int r = 0;

	if (u->parent >= 0) {
		if (mkdirat(u->parent, IN_MOUNT, 0755) < 0 && errno != EEXIST)
			return -errno;
		u->directory = file_open_exact(u->parent, IN_MOUNT, O_PATH | O_DIRECTORY);
	} else {
		_cleanup_close_ int above = file_open_in(root, "var/lib",
							 O_PATH | O_DIRECTORY);

		if (above < 0)
			return above;
		if (mkdirat(above, strrchr(UPPER_STORE, '/') + 1, 0700) < 0 &&
		    errno != EEXIST)
			return -errno;
		store = file_open_in(root, UPPER_STORE, O_PATH | O_DIRECTORY);
		if (store < 0)
			return store;
		if (mkdirat(store, name, 0755) < 0 && errno != EEXIST)
			return -errno;
		u->directory = file_open_exact(store, name, O_PATH | O_DIRECTORY);
	}
	if (u->directory >= 0 && base >= 0) {
		_cleanup_close_ int fd = file_reopen(u->directory, O_RDONLY | O_DIRECTORY);

		r = fd < 0 ? fd : meta_copy_looks(base, fd);
	}
	return u->directory < 0 ? u->directory : r;
}

/* Not where a link leads to, which may be anybody's directory. */
int upper_close_store(int root) {
	_cleanup_close_ int above = file_open_in(root, "var/lib", O_PATH | O_DIRECTORY);
	_cleanup_close_ int store =
		above < 0 ? above
			  : file_open_below(above, strrchr(UPPER_STORE, '/') + 1,
					    O_RDONLY | O_DIRECTORY);
	struct stat st;

	if (store < 0)
		return store == -ENOENT || store == -ELOOP ? 0 : store;
	if (fstat(store, &st) < 0)
		return -errno;
	if ((st.st_mode & 0077) == 0)
		return 0;
	return fchmod(store, st.st_mode & 0700) < 0 ? -errno : 0;
}

static int prepare_memory(struct upper *u, int base) {
	_cleanup_close_ int fd = -EBADF;

	if (u->memory < 0)
		u->memory = memory_make(u->size);
	if (u->memory < 0)
		return u->memory;
	u->parent = file_open_exact(u->memory, ".", O_PATH | O_DIRECTORY);
	u->name = strdup(MEMORY_LAYER);
	if (u->parent < 0 || !u->name)
		return u->parent < 0 ? u->parent : -ENOMEM;
	if (mkdirat(u->parent, MEMORY_LAYER, 0755) < 0)
		return errno == EEXIST ? 0 : -errno;
	fd = file_open_exact(u->parent, MEMORY_LAYER, O_RDONLY | O_DIRECTORY);
	return fd < 0 ? fd : base < 0 ? 0 : meta_copy_looks(base, fd);
}

/* The directory above, where the layer's name must be what it is called there. */
static int open_parent(struct upper *u, int root, char **ret_why) {
	const char *slash = strrchr(u->path, '/');
	_cleanup_free_ char *above = strndup(u->path, (size_t)(slash - u->path));
	struct stat st, named;

	u->name = strdup(slash + 1);
	if (!u->name || !above)
		return -ENOMEM;
	if (u->parent < 0)
		u->parent = file_open_in(root, *above ? above : ".", O_PATH | O_DIRECTORY);
	if (u->parent < 0)
		return u->parent;
	if (fstat(u->directory, &st) < 0 ||
	    fstatat(u->parent, u->name, &named, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (is_same(&st, &named) && mount_id(u->parent) == mount_id(u->directory))
		return 0;
	*ret_why = text_format("%s is not on one mount with the directory above it",
			       u->path);
	return -EXDEV;
}

int upper_open_place(struct upper *u, int root, char **ret_why) {
	if (!mutable_forgets(u->mode))
		return u->directory < 0 ? -ENOENT : open_parent(u, root, ret_why);
	if (u->memory < 0)
		return -ENOENT;
	u->parent = file_open_exact(u->memory, ".", O_PATH | O_DIRECTORY);
	u->name = strdup(MEMORY_LAYER);
	return u->parent < 0 ? u->parent : u->name ? 0 : -ENOMEM;
}

int upper_prepare(struct upper *u, int root, const char *name, int base, char **ret_why) {
	int r = 0;

	if (!u->is_writable)
		return 0;
	if (u->fresh) {
		r = 0; /* it is there already */
	} else if (mutable_forgets(u->mode)) {
		r = prepare_memory(u, base);
	} else {
		if (u->directory < 0)
			r = upper_make(u, root, name, base);
		if (r == 0)
			r = open_parent(u, root, ret_why);
	}
	if (r == 0)
		r = workdir_make(u->parent, u->name, &u->work_name);
	if (r < 0)
		return r;
	u->upper = file_open_exact(u->parent, u->fresh ?: u->name, O_PATH | O_DIRECTORY);
	u->work = file_open_exact(u->parent, u->work_name, O_PATH | O_DIRECTORY);
	return u->upper < 0 ? u->upper : u->work < 0 ? u->work : 0;
}

/* What is not a directory on both sides, and a directory that overlayfs has marked as one that hides what is below it. */
static bool hides_at(int fd, const char *path, bool is_last) {
	_cleanup_close_ int at = openat(fd, path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	char link[FILE_FD_PATH_MAX], value;
	struct stat st;

	if (at < 0)
		return errno != ENOENT; /* what cannot be looked at proves nothing */
	if (is_last || fstat(at, &st) < 0 || !S_ISDIR(st.st_mode))
		return true;
	file_fd_path(at, link);
	return getxattr(link, "trusted.overlay.opaque", &value, sizeof(value)) > 0;
}

static bool hides_in(int fd, char *path) {
	for (char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
		bool hides;

		*slash = '\0';
		hides = hides_at(fd, path, false);
		*slash = '/';
		if (hides)
			return true;
	}
	return hides_at(fd, path, true);
}

bool upper_hides(const struct upper *u, const char *path) {
	_cleanup_free_ char *copy = strdup(path);

	if (!copy)
		return true;
	return (u->upper >= 0 && hides_in(u->upper, copy)) ||
	       (u->is_imported && !u->is_host && hides_in(u->directory, copy));
}

int upper_sweep(int root, const char *name, const char *keep, const char *id) {
	_cleanup_(upper_done) struct upper u = UPPER_NONE;
	_cleanup_free_ char *why = NULL;
	int r = upper_find(root, name, -EBADF, MUTABLE_AUTO, &u, &why);

	/* What cannot be an upper layer has no work directory of ours. */
	if (r < 0 || u.directory < 0)
		return r == -ENOMEM ? r : 0;
	r = open_parent(&u, root, &why);
	if (r < 0)
		return r == -EXDEV ? 0 : r;
	r = renewal_heal(u.parent, u.name, id);
	return r < 0 ? r : workdir_sweep(u.parent, u.name, keep);
}

void upper_done(struct upper *u) {
	close_fdp(&u->directory);
	close_fdp(&u->memory);
	close_fdp(&u->parent);
	close_fdp(&u->upper);
	close_fdp(&u->work);
	close_fdp(&u->old);
	free(u->fresh);
	free(u->path);
	free(u->known_id);
	free(u->note);
	free(u->name);
	free(u->work_name);
	*u = (struct upper)UPPER_NONE;
}

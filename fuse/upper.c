/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Each change of the tree is one call: a rename out of the work directory, an exchange, or something new. */
#include "upper.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "../merge/kernel.h"
#include "layers.h"

#define WORK "work"
#define DEPTH_MAX 4 /* of what a server leaves in it: a directory with whiteouts */

int upper_open(int directory, const char *name, int flags) {
	return layers_open(directory, name, flags);
}

int upper_set_xattr(int directory, const char *name, const char *attribute,
		    const void *value, size_t size, int flags) {
	if (fchdir(directory) < 0 || lsetxattr(name, attribute, value, size, flags) < 0)
		return -errno;
	return 0;
}

int upper_remove_xattr(int directory, const char *name, const char *attribute) {
	if (fchdir(directory) < 0 || lremovexattr(name, attribute) < 0)
		return -errno;
	return 0;
}

void upper_new_name(struct upper *u, char ret[static UPPER_NAME_MAX]) {
	snprintf(ret, UPPER_NAME_MAX, "#%llx", (unsigned long long)u->serial++);
}

/* --- emptying --- */

static int empty_directory(int fd, unsigned depth);

static int remove_entry(int directory, const struct kernel_dirent *e, unsigned depth) {
	_cleanup_close_ int fd = -EBADF;
	int r;

	if (unlinkat(directory, e->d_name, 0) == 0)
		return 0;
	if (errno != EISDIR)
		return -errno;
	if (depth == DEPTH_MAX)
		return -ENOTEMPTY;
	fd = upper_open(directory, e->d_name, O_RDONLY | O_DIRECTORY);
	if (fd < 0)
		return fd;
	r = empty_directory(fd, depth + 1);
	if (r < 0)
		return r;
	return unlinkat(directory, e->d_name, AT_REMOVEDIR) < 0 ? -errno : 0;
}

/* Calls `act` for each entry but "." and ".." of a directory that is open for reading. */
static int for_each(int fd, int (*act)(int fd, const struct kernel_dirent *e, void *data),
		    void *data) {
	_Alignas(struct kernel_dirent) char listing[4096];
	int r = 0;

	while (r == 0) {
		ssize_t n = sys_getdents64(fd, listing, sizeof(listing));

		if (n <= 0)
			return n < 0 ? -errno : 0;
		for (ssize_t at = 0; r == 0 && at < n;) {
			const struct kernel_dirent *e = (const void *)(listing + at);

			at += e->d_reclen;
			if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
				r = act(fd, e, data);
		}
	}
	return r;
}

static int empty_one(int fd, const struct kernel_dirent *e, void *depth) {
	return remove_entry(fd, e, *(unsigned *)depth);
}

static int empty_directory(int fd, unsigned depth) {
	return for_each(fd, empty_one, &depth);
}

static int clear_one(int fd, const struct kernel_dirent *e, void *upper) {
	struct stat st;
	int r;

	if (fstatat(fd, e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	r = upper_is_whiteout(upper, fd, e->d_name, &st);
	if (r <= 0)
		return r < 0 ? r : -ENOTEMPTY;
	return unlinkat(fd, e->d_name, 0) < 0 ? -errno : 0;
}

int upper_clear(struct upper *u, int directory, const char *name) {
	_cleanup_close_ int fd = upper_open(directory, name, O_RDONLY | O_DIRECTORY);

	return fd < 0 ? fd : for_each(fd, clear_one, u);
}

void upper_discard(struct upper *u, const char *name) {
	if (unlinkat(u->work, name, 0) == 0 || errno != EISDIR)
		return;
	upper_clear(u, u->work, name);
	unlinkat(u->work, name, AT_REMOVEDIR);
}

/* --- marks --- */

int upper_has_mark(const struct upper *u, int directory, const char *name,
		   enum whiteout_mark mark) {
	const struct layers l = { .space = u->space };
	const struct layer layer = { .has_xattrs = true };

	return layers_has_mark(&l, &layer, directory, name, mark);
}

int upper_opaque(const struct upper *u, int directory, const char *name) {
	const struct layers l = { .space = u->space };
	const struct layer layer = { .has_xattrs = true };

	return layers_opaque(&l, &layer, directory, name);
}

int upper_set_opaque(const struct upper *u, int directory, const char *name) {
	return upper_set_xattr(directory, name,
			       whiteout_xattr(u->space, WHITEOUT_MARK_OPAQUE), "y", 1, 0);
}

int upper_is_whiteout(const struct upper *u, int directory, const char *name,
		      const struct stat *st) {
	if (whiteout_is_device(st))
		return 1;
	if (!S_ISREG(st->st_mode) || st->st_size != 0)
		return 0;
	return upper_has_mark(u, directory, name, WHITEOUT_MARK_WHITEOUT);
}

/* --- changes in one step --- */

/* C libraries make another call of it where there are no flags. */
int upper_rename(int from, const char *name, int to, const char *new_name,
		 unsigned flags) {
	return syscall(SYS_renameat2, from, name, to, new_name, flags) < 0 ? -errno : 0;
}

static int rename_to(const struct upper *u, const char *made, int directory,
		     const char *name, unsigned flags) {
	return upper_rename(u->work, made, directory, name, flags);
}

static int make_whiteout(int directory, const char *name) {
	return mknodat(directory, name, S_IFCHR, makedev(0, 0)) < 0 ? -errno : 0;
}

int upper_whiteout(struct upper *u, int directory, const char *name, bool is_there,
		   bool is_directory) {
	char made[UPPER_NAME_MAX];
	int r;

	if (!is_there)
		return make_whiteout(directory, name);
	upper_new_name(u, made);
	r = make_whiteout(u->work, made);
	if (r < 0)
		return r;
	r = rename_to(u, made, directory, name, is_directory ? RENAME_EXCHANGE : 0);
	if (r < 0 || is_directory)
		upper_discard(u, made);
	return r;
}

/* A directory cannot take the place of something else in one step; they can change places. */
int upper_publish(struct upper *u, const char *made, int directory, const char *name,
		  bool over_whiteout) {
	int r = rename_to(u, made, directory, name,
			  over_whiteout ? RENAME_EXCHANGE : RENAME_NOREPLACE);

	if (r == 0 && over_whiteout)
		upper_discard(u, made);
	return r;
}

/* --- the beginning --- */

/* overlay.2: what overlayfs would have there, too. */
static int check_one(int fd, const struct kernel_dirent *e, void *data) {
	(void)fd, (void)data;
	return strcmp(e->d_name, WORK) == 0 || strcmp(e->d_name, "index") == 0
		       ? 0
		       : -ENOTEMPTY;
}

static int check_work(int work, const char **ret_why) {
	_cleanup_close_ int fd = upper_open(work, ".", O_RDONLY | O_DIRECTORY);
	int r = fd < 0 ? fd : for_each(fd, check_one, NULL);

	if (r == -ENOTEMPTY)
		*ret_why = "workdir has something in it that is not overlayfs' or ours";
	return r;
}

static int refuse_incompatible(int work, const char **ret_why) {
	if (faccessat(work, "incompat", F_OK, AT_SYMLINK_NOFOLLOW) == 0) {
		*ret_why = "workdir has features that are not known, or was volatile";
		return -EINVAL;
	}
	return errno == ENOENT ? 0 : -errno;
}

/* What overlayfs asks of it too: marks, whiteouts, and to exchange and to leave one behind in one step. */
static int try_marks(struct upper *u, const char **ret_why) {
	int r;

	*ret_why = "the file system of upperdir takes no whiteouts";
	r = make_whiteout(u->work, "#try");
	if (r < 0)
		return r;
	*ret_why = "the file system of upperdir takes no extended attributes of overlayfs";
	if (mkdirat(u->work, "#dir", 0700) < 0)
		return -errno;
	r = upper_set_opaque(u, u->work, "#dir");
	if (r < 0)
		return r;
	*ret_why = "the file system of upperdir cannot rename as is needed";
	r = rename_to(u, "#try", u->work, "#dir", RENAME_EXCHANGE);
	if (r == 0)
		r = rename_to(u, "#dir", u->work, "#one", RENAME_WHITEOUT);
	return r;
}

static int try(struct upper *u, const char **ret_why) {
	int r = try_marks(u, ret_why);

	if (r == -ENOSPC || r == -EDQUOT)
		*ret_why = "the file system of upperdir has no room";
	upper_discard(u, "#try");
	upper_discard(u, "#dir");
	upper_discard(u, "#one");
	return r;
}

static int open_work(struct upper *u, int work, const char **ret_why) {
	int r = check_work(work, ret_why);

	if (r < 0)
		return r;
	if (mkdirat(work, WORK, 0) < 0 && errno != EEXIST)
		return -errno;
	u->work = upper_open(work, WORK, O_RDONLY | O_DIRECTORY);
	if (u->work < 0)
		return u->work;
	if (flock(u->work, LOCK_EX | LOCK_NB) < 0) {
		*ret_why = "another server uses workdir";
		return errno == EWOULDBLOCK ? -EBUSY : -errno;
	}
	r = refuse_incompatible(u->work, ret_why);
	if (r < 0)
		return r;
	*ret_why = "workdir cannot be emptied";
	return empty_directory(u->work, 0);
}

int upper_init(struct upper *u, int fd, int work, enum whiteout_space space,
	       const char **ret_why) {
	struct stat st, of_work;
	char acl[1];
	ssize_t n;
	int r;

	*u = (struct upper){ .fd = fd, .work = -EBADF, .space = space };
	*ret_why = "workdir cannot be used";
	if (fstat(fd, &st) < 0 || fstat(work, &of_work) < 0)
		return -errno;
	if (!S_ISDIR(st.st_mode) || !S_ISDIR(of_work.st_mode))
		return -ENOTDIR;
	u->device = st.st_dev;
	r = open_work(u, work, ret_why);
	if (r == 0)
		r = try(u, ret_why);
	n = layers_xattr(fd, ".", "system.posix_acl_access", acl, 0);
	u->has_acls = n != -EOPNOTSUPP;
	return r;
}

void upper_end(struct upper *u) {
	close_fdp(&u->work);
	u->work = -EBADF;
}

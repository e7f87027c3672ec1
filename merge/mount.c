/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The mount table of this namespace. */
#include "mount.h"

#include <libmount.h>
#include <string.h>
#include <sys/statvfs.h>

#include "file.h"
#include "kernel.h"

struct mounts {
	struct libmnt_table *table;
};

/* Lines that libmount cannot read are left out: another program's odd mount must not stop us. */
static int skip_bad_line(struct libmnt_table *table, const char *file, int line) {
	(void)table;
	(void)file;
	(void)line;
	return 1;
}

static int read_table(const char *path, struct mounts **ret) {
	_cleanup_(mounts_freep) struct mounts *m = calloc(1, sizeof(*m));
	int r;

	if (!m)
		return -ENOMEM;
	m->table = mnt_new_table();
	if (!m->table)
		return -ENOMEM;
	mnt_table_set_parser_errcb(m->table, skip_bad_line);
	errno = 0;
	r = mnt_table_parse_file(m->table, path);
	if (r != 0)
		return r < 0 ? r : errno ? -errno : -EIO;
	*ret = TAKE_PTR(m);
	return 0;
}

int mounts_read(struct mounts **ret) {
	return read_table("/proc/self/mountinfo", ret);
}

int mounts_read_of(pid_t pid, struct mounts **ret) {
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/mountinfo", (int)pid);
	return read_table(path, ret);
}

void mounts_free(struct mounts *m) {
	if (!m)
		return;
	mnt_unref_table(m->table);
	free(m);
}

/*
 * fusermount3 mounts for every user, and lets him say what the table shows, but for who he is. Root's count, and one's
 * own (command.3).
 */
static bool is_users(struct libmnt_fs *fs) {
	char *owner, self[16];
	size_t len;

	snprintf(self, sizeof(self), "%u", (unsigned)geteuid());
	return mnt_fs_get_option(fs, "user_id", &owner, &len) == 0 &&
	       (len != 1 || *owner != '0') &&
	       (len != strlen(self) || memcmp(owner, self, len) != 0);
}

static struct mount_info describe(struct libmnt_fs *fs) {
	return (struct mount_info){
		.id = mnt_fs_get_id(fs),
		.parent = mnt_fs_get_parent_id(fs),
		.target = mnt_fs_get_target(fs) ?: "",
		.source = mnt_fs_get_source(fs) ?: "",
		.fstype = mnt_fs_get_fstype(fs) ?: "",
		.is_users = is_users(fs),
	};
}

int mounts_each(const struct mounts *m, int (*f)(const struct mount_info *i, void *data),
		void *data) {
	struct libmnt_iter *iter = mnt_new_iter(MNT_ITER_FORWARD);
	struct libmnt_fs *fs;
	int r = iter ? 0 : -ENOMEM;

	while (r == 0 && mnt_table_next_fs(m->table, iter, &fs) == 0) {
		struct mount_info info = describe(fs);

		r = f(&info, data);
	}
	mnt_free_iter(iter);
	return r;
}

struct search {
	int id;
	struct mount_info *ret;
};

static int match_id(const struct mount_info *i, void *data) {
	struct search *s = data;

	if (i->id != s->id)
		return 0;
	*s->ret = *i;
	return 1;
}

bool mounts_find(const struct mounts *m, int id, struct mount_info *ret) {
	struct search s = { id, ret };

	return mounts_each(m, match_id, &s) == 1;
}

/* What the kernel knows by itself: no server is asked, which might be dead. */
static int look(int fd, unsigned mask, struct statx *ret) {
	return statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, mask, ret) < 0 ? -errno
										: 0;
}

/* Asked for or not, it is there (Linux 5.8). Who asks for anything is refused by a user's FUSE mount, root too. */
int mount_id(int fd) {
	struct statx sx;
	int r = look(fd, 0, &sx);

	if (r < 0)
		return r;
	return sx.stx_mask & STATX_MNT_ID ? (int)sx.stx_mnt_id : -ENOSYS;
}

uint64_t mount_unique_id(int fd) {
	struct statx sx;

	if (look(fd, STATX_MNT_ID_UNIQUE, &sx) < 0 || !(sx.stx_mask & STATX_MNT_ID_UNIQUE))
		return 0;
	return sx.stx_mnt_id;
}

int mount_is_root(int fd) {
	struct statx sx;
	int r = look(fd, 0, &sx);

	return r < 0 ? r
		     : (sx.stx_attributes_mask & sx.stx_attributes &
			STATX_ATTR_MOUNT_ROOT) != 0;
}

int mount_set_read_only(int fd, bool is_read_only) {
	struct mount_attr attributes = { 0 };

	*(is_read_only ? &attributes.attr_set : &attributes.attr_clr) = MOUNT_ATTR_RDONLY;
	return mount_setattr(fd, "", AT_EMPTY_PATH, &attributes, sizeof(attributes)) < 0
		       ? -errno
		       : 0;
}

int mount_set_all_read_only(int fd, bool is_read_only) {
	_cleanup_close_ int context = fspick(fd, "", FSPICK_EMPTY_PATH | FSPICK_CLOEXEC);

	if (context < 0 ||
	    fsconfig(context, FSCONFIG_SET_FLAG, is_read_only ? "ro" : "rw", NULL, 0) <
		    0 ||
	    fsconfig(context, FSCONFIG_CMD_RECONFIGURE, NULL, NULL, 0) < 0)
		return -errno;
	return 0;
}

int mount_is_read_only(int fd) {
	struct statvfs fs;

	return fstatvfs(fd, &fs) < 0 ? -errno : (fs.f_flag & ST_RDONLY) != 0;
}

/* Only the root of a mount can be named: the way up leads there. */
int mount_make_private(int fd) {
	_cleanup_close_ int at = openat(fd, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int r = at < 0 ? -errno : 0;

	while (r == 0 && (r = mount_is_root(at)) == 0) {
		int up = openat(at, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);

		r = up < 0 ? -errno : 0;
		if (r == 0) {
			close(at);
			at = up;
		}
	}
	if (r < 0)
		return r;
	if (fchdir(at) < 0 || mount(NULL, ".", NULL, MS_PRIVATE, NULL) < 0)
		return -errno;
	return 0;
}

/*
 * The working directory names the mount, and needs no /proc. From its root the kernel goes up to what is mounted on that: so
 * callers give what was seen on top a moment ago.
 */
static int detach_here(int fd) {
	return fchdir(fd) < 0 || umount2(".", MNT_DETACH) < 0 ? -errno : 0;
}

/* Who enters a directory is checked by its mode, for which the kernel may have to ask its server: one that is dead. */
static int detach_once(int fd) {
	char path[FILE_FD_PATH_MAX];
	int r = detach_here(fd);

	if (r != -ENOTCONN && r != -ECONNABORTED)
		return r;
	file_fd_path(fd, path);
	return umount2(path, MNT_DETACH) < 0 ? -errno : 0;
}

int mount_detach(int fd, int directory) {
	int r = detach_once(fd);

	if (r < 0) /* tried twice: a switch that has come this far should be finished */
		r = detach_once(fd);
	if (fchdir(directory) < 0 && chdir("/") < 0)
		return -errno;
	return r;
}

int mount_clone(int fd) {
	struct mount_attr attributes = { .propagation = MS_PRIVATE };
	_cleanup_close_ int clone = open_tree(fd, "",
					      AT_EMPTY_PATH | OPEN_TREE_CLONE |
						      OPEN_TREE_CLOEXEC | AT_RECURSIVE |
						      AT_NO_AUTOMOUNT);

	if (clone < 0 || mount_setattr(clone, "", AT_EMPTY_PATH | AT_RECURSIVE,
				       &attributes, sizeof(attributes)) < 0)
		return -errno;
	return TAKE_FD(clone);
}

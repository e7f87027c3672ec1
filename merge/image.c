/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a path holds that may be an extension. */
#include "image.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/vfs.h>

#include "../verity/sidecar.h"
#include "digest.h"
#include "file.h"
#include "text.h"
#include "tree.h"
#include "version.h"

#define BTRFS_ROOT_INODE 256
#define PATH_TEXT_MAX 4096

/* What the O_PATH fd is, and how it is to be opened. */
static int take_file(struct extension *e, int fd, const struct stat *st) {
	e->kind = S_ISREG(st->st_mode) ? EXTENSION_RAW : EXTENSION_BLOCK;
	e->size = (uint64_t)st->st_size;
	e->fd = file_reopen(fd, O_RDONLY);
	if (e->fd < 0 && file_is_shortage(e->fd))
		return e->fd;
	if (e->fd < 0)
		return verdict_set(&e->verdict,
				   e->fd == -EACCES ? VERDICT_NO_PRIVILEGE
						    : VERDICT_UNREADABLE,
				   "cannot be opened: %s", strerror(-e->fd));
	if (e->kind == EXTENSION_BLOCK && ioctl(e->fd, BLKGETSIZE64, &e->size) < 0)
		return verdict_set(&e->verdict, VERDICT_UNREADABLE, "has no size: %s",
				   strerror(errno));
	if (e->size == 0)
		return verdict_set(&e->verdict, VERDICT_EMPTY,
				   "the image is an empty file");
	return 0;
}

static bool is_subvolume(int fd, const struct stat *st) {
	struct statfs fs;

	return st->st_ino == BTRFS_ROOT_INODE && fstatfs(fd, &fs) == 0 &&
	       fs.f_type == BTRFS_SUPER_MAGIC;
}

int image_take(struct extension *e, int fd, const struct stat *st) {
	if (S_ISREG(st->st_mode) || S_ISBLK(st->st_mode))
		return take_file(e, fd, st);
	if (S_ISDIR(st->st_mode)) {
		e->kind = is_subvolume(fd, st) ? EXTENSION_SUBVOLUME
					       : EXTENSION_DIRECTORY;
		e->fd = openat(fd, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
		return e->fd < 0 ? -errno : 0;
	}
	e->kind = EXTENSION_OTHER;
	return verdict_set(&e->verdict, VERDICT_UNSUPPORTED, "is a %s, not an image",
			   S_ISFIFO(st->st_mode)   ? "FIFO"
			   : S_ISSOCK(st->st_mode) ? "socket"
						   : "character device");
}

/* Who else may write it; discover.writers. Anybody who can replace an image can replace /usr. */
static int check_writers(struct extension *e, const char *what, const struct stat *st) {
	if (!S_ISLNK(st->st_mode) && st->st_mode & S_IWOTH &&
	    !(S_ISDIR(st->st_mode) && st->st_mode & S_ISVTX))
		return verdict_set(&e->verdict, VERDICT_UNSAFE_PATH,
				   "%s can be written by everybody (mode %04o)", what,
				   (unsigned)st->st_mode & 07777);
	if (st->st_uid != 0 && st->st_uid != geteuid() && !e->note) {
		e->note = text_format("%s belongs to user %u", what, (unsigned)st->st_uid);
		return e->note ? 0 : -ENOMEM;
	}
	return 0;
}

/* All directories above `path`, which is cut at each of them. */
static int check_above(struct extension *e, char *path) {
	int r = 0;

	for (char *slash = strrchr(path, '/'); r == 0 && slash && slash > path;
	     slash = strrchr(path, '/')) {
		struct stat st;

		*slash = '\0';
		if (lstat(path, &st) == 0)
			r = check_writers(e, path, &st);
	}
	return r;
}

/* The directories above what was found, where it really lies, symlinks followed. */
static int check_parents(struct extension *e, int fd, char **safe) {
	char link[FILE_FD_PATH_MAX], path[PATH_TEXT_MAX];
	_cleanup_free_ char *directory = NULL;
	ssize_t n;
	int r;

	file_fd_path(fd, link);
	n = readlink(link, path, sizeof(path) - 1);
	if (n <= 0 || n == (ssize_t)sizeof(path) - 1 || path[0] != '/')
		return 0;
	path[n] = '\0';
	directory = strndup(path, (size_t)(strrchr(path, '/') - path));
	if (!directory)
		return -ENOMEM;
	if (*safe && strcmp(*safe, directory) == 0)
		return 0;
	r = check_above(e, path);
	if (r == 0 && extension_fits(e) && !e->note) {
		free(*safe);
		*safe = TAKE_PTR(directory);
	}
	return r;
}

int image_check_writers(struct extension *e, int fd, const struct stat *st, char **safe) {
	int r = check_writers(e, e->path, st);

	return r < 0 ? r : check_parents(e, fd, safe);
}

enum name_kind image_name_kind(const char *entry, mode_t mode) {
	size_t len = strlen(entry);

	if (S_ISDIR(mode) && len > 6 && strcmp(entry + len - 6, ".raw.v") == 0)
		return NAME_PICK_FILES;
	if (S_ISDIR(mode) && len > 2 && strcmp(entry + len - 2, ".v") == 0)
		return NAME_PICK_DIRECTORIES;
	if (S_ISREG(mode) ||
	    (!S_ISDIR(mode) && len > 4 && strcmp(entry + len - 4, ".raw") == 0))
		return NAME_FILE;
	return NAME_DIRECTORY;
}

int image_refuse_name(struct extension *e, const char *entry, const char *why) {
	e->name = (struct name){ .full = strdup(entry),
				 .name = strdup(entry),
				 .left = NAME_TRIES_NONE,
				 .done = NAME_TRIES_NONE };
	if (!e->name.full || !e->name.name)
		return -ENOMEM;
	return verdict_set(&e->verdict, VERDICT_BAD_NAME, "%s", why);
}

const struct class *image_class_of_name(const char *entry, const struct class *class) {
	size_t len = strlen(entry);

	if (len > 4 && strcmp(entry + len - 4, ".raw") == 0)
		len -= 4;
	for (size_t i = 0; i < CLASS_COUNT; i++) {
		size_t n = strlen(classes[i].suffix);

		if (len > n && memcmp(entry + len - n, classes[i].suffix, n) == 0)
			return &classes[i];
	}
	return class;
}

/* The last part of the path; a shell completes a directory's name with a slash. */
static char *copy_entry(const char *path) {
	size_t len = strlen(path), start;

	while (len > 0 && path[len - 1] == '/')
		len--;
	for (start = len; start > 0 && path[start - 1] != '/'; start--)
		;
	return strndup(path + start, len - start);
}

int image_open(const char *path, const struct class *class, struct extension **ret) {
	_cleanup_(extension_freep) struct extension *e = NULL;
	_cleanup_free_ char *entry = copy_entry(path);
	_cleanup_close_ int fd = open(path, O_PATH | O_CLOEXEC);
	const char *why = NULL;
	struct stat st;
	int r;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	e = entry ? extension_new(image_class_of_name(entry, class)) : NULL;
	if (!e)
		return -ENOMEM;
	e->path = strdup(path);
	if (!e->path)
		return -ENOMEM;
	e->is_operand = true;
	r = name_parse(entry, image_name_kind(entry, st.st_mode), e->class->suffix,
		       &e->name, &why);
	if (r == -EINVAL || r == -ENOENT)
		r = image_refuse_name(e, entry, why ?: "is not called NAME.raw");
	if (r == 0)
		r = image_take(e, fd, &st);
	if (r == 0)
		*ret = TAKE_PTR(e);
	return r;
}

const char *image_file_name(const struct extension *e) {
	const char *slash = strrchr(e->path, '/');

	return slash ? slash + 1 : e->path;
}

struct dissect_image image_describe(const struct extension *e, int directory,
				    const char *native, const char *secondary) {
	return (struct dissect_image){
		.fd = e->fd,
		.size = e->size,
		.directory = directory,
		.name = e->kind == EXTENSION_RAW ? image_file_name(e) : NULL,
		.native = native,
		.secondary = secondary,
		.compare = version_compare,
	};
}

int image_open_directory(const struct extension *e, int root) {
	size_t len = (size_t)(image_file_name(e) - e->path);
	_cleanup_free_ char *directory = len > 0 ? strndup(e->path, len) : strdup(".");
	int fd;

	if (!directory)
		return -ENOMEM;
	if (!e->is_operand)
		return file_open_in(root, directory, O_PATH | O_DIRECTORY);
	fd = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static int fingerprint_image(struct extension *e) {
	struct stat st;

	if (fstat(e->fd, &st) < 0)
		return -errno;
	e->fingerprint = text_format(
		"image:%llx:%llx:%llu:%lld.%09ld:%lld.%09ld%s",
		(unsigned long long)(e->kind == EXTENSION_BLOCK ? st.st_rdev : st.st_dev),
		(unsigned long long)st.st_ino, (unsigned long long)e->size,
		(long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec,
		(long long)st.st_ctim.tv_sec, st.st_ctim.tv_nsec, e->sidecars ?: "");
	return e->fingerprint ? 0 : -ENOMEM;
}

static int note_sidecar(struct extension *e, int directory, const char *name,
			enum sidecar_kind kind) {
	struct stat st;
	char *longer;

	/* What cannot be looked at is refused later, when it is opened. */
	if (fstatat(directory, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	longer = text_format("%s:%d:%llx:%llu:%lld.%09ld", e->sidecars ?: "", (int)kind,
			     (unsigned long long)st.st_ino, (unsigned long long)st.st_size,
			     (long long)st.st_ctim.tv_sec, st.st_ctim.tv_nsec);
	if (!longer)
		return -ENOMEM;
	free(e->sidecars);
	e->sidecars = longer;
	return 0;
}

int image_note_sidecars(struct extension *e, int directory, char *const *entry) {
	size_t len = strlen(*entry), suffix = strlen(".raw");
	int r = 0;

	if (len <= suffix || strcmp(*entry + len - suffix, ".raw") != 0)
		return 0;
	len -= suffix;
	/* Names that begin as it does, up to the dot, follow it. */
	for (char *const *next = entry + 1;
	     r == 0 && *next && strncmp(*next, *entry, len + 1) == 0; next++) {
		int kind = sidecar_kind_from(*next + len);

		if (kind >= 0)
			r = note_sidecar(e, directory, *next, (enum sidecar_kind)kind);
	}
	return r;
}

int image_take_digest(struct extension *e) {
	char text[DIGEST_TEXT_MAX];

	digest_finish(e->digest, text);
	digest_free(e->digest);
	e->digest = NULL;
	e->fingerprint = text_format("tree:%s", text);
	return e->fingerprint ? 0 : -ENOMEM;
}

/* The same order of the same words as in hierarchy_add(), which has no reason to walk it again. */
static int digest_hierarchies(struct extension *e) {
	int r = 0;

	for (size_t i = 0; r == 0 && e->hierarchies[i]; i++) {
		const char *name = e->hierarchies[i];
		_cleanup_close_ int fd = file_open_exact(e->fd, name,
							 O_PATH | O_DIRECTORY);

		digest_add_text(e->digest, fd < 0 ? NULL : name);
		if (fd >= 0)
			r = census_take(fd, &tree_limits_default, e->digest,
					&e->census[i]);
	}
	return r;
}

static int fingerprint_directory(struct extension *e) {
	int r = digest_new(&e->digest);

	if (r == 0)
		r = digest_hierarchies(e);
	if (r == 0)
		return image_take_digest(e);
	digest_free(e->digest);
	e->digest = NULL;
	if (file_is_shortage(r))
		return r;
	return verdict_set(&e->verdict,
			   r == -E2BIG || r == -ELOOP || r == -ETIME ? VERDICT_TOO_LARGE
								     : VERDICT_UNREADABLE,
			   "its tree cannot be read: %s", strerror(-r));
}

int image_fingerprint(struct extension *e) {
	if (e->fingerprint || e->fd < 0)
		return 0;
	if (e->kind == EXTENSION_RAW || e->kind == EXTENSION_BLOCK)
		return fingerprint_image(e);
	return fingerprint_directory(e);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The uppermost layer of every merged tree. */
#include "meta.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "file.h"
#include "mount.h"

/* One attribute holds at most 64 KiB; a long record is cut into numbered pieces. */
#define PIECE_MAX ((size_t)60 * 1024)
#define PIECES_MAX 64

/*
 * user.* can be read without privilege, but tmpfs has it since Linux 6.6 only; trusted.* is older.
 */
static const char *const prefixes[] = { "user.extmerge.", "trusted.extmerge." };

static bool is_ours(const char *attribute) {
	for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++)
		if (strncmp(attribute, prefixes[i], strlen(prefixes[i])) == 0)
			return true;
	return strncmp(attribute, "trusted.overlay.", 16) == 0 ||
	       strncmp(attribute, "user.overlay.", 13) == 0;
}

static int copy_xattr(int from, int to, const char *name) {
	_cleanup_free_ char *value = malloc(64 * 1024);
	ssize_t n = value ? fgetxattr(from, name, value, 64 * 1024) : -1;

	if (n < 0)
		return value ? -errno : -ENOMEM;
	/* tmpfs has not all the attributes of a disk file system: what it cannot hold is left out. */
	if (fsetxattr(to, name, value, (size_t)n, 0) < 0 && errno != EOPNOTSUPP &&
	    errno != EPERM)
		return -errno;
	return 0;
}

static int copy_xattrs(int from, int to) {
	char names[8192];
	ssize_t n = flistxattr(from, names, sizeof(names));
	int r = 0;

	if (n < 0)
		return errno == EOPNOTSUPP ? 0 : -errno;
	for (const char *name = names; r == 0 && name < names + n;
	     name += strlen(name) + 1)
		if (!is_ours(name))
			r = copy_xattr(from, to, name);
	return r;
}

int meta_copy_looks(int model, int meta) {
	_cleanup_close_ int from = file_reopen(model, O_RDONLY | O_DIRECTORY);
	struct stat st;
	int r;

	if (from < 0)
		return from;
	if (fstat(from, &st) < 0)
		return -errno;
	/* EINVAL: a user namespace that does not know the owner (command.3), EPERM: nor may he (switch.18); then it is the caller. */
	if (fchown(meta, st.st_uid, st.st_gid) < 0 && errno != EINVAL &&
	    (errno != EPERM || geteuid() == 0))
		return -errno;
	if (fchmod(meta, st.st_mode & 07777) < 0)
		return -errno;
	r = copy_xattrs(from, meta);
	if (r == 0 && futimens(meta, (struct timespec[]){ st.st_atim, st.st_mtim }) < 0)
		r = -errno;
	return r;
}

int meta_make(struct workshop *w, int model) {
	_cleanup_close_ int meta = -EBADF;
	char name[16];
	int r = 0;

	snprintf(name, sizeof(name), "%u", w->n_attached++);
	if (mkdirat(w->scratch, name, 0755) < 0)
		return -errno;
	meta = openat(w->scratch, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (meta < 0)
		return -errno;
	r = model >= 0		     ? meta_copy_looks(model, meta)
	    : fchmod(meta, 0755) < 0 ? -errno
				     : 0;
	return r < 0 ? r : TAKE_FD(meta);
}

int meta_make_place(struct workshop *w, int meta) {
	_cleanup_close_ int place = meta_make(w, -EBADF);

	if (place < 0)
		return place;
	if (mkdirat(meta, META_PLACE, 0755) < 0 || mkdirat(place, META_MEMORY, 0700) < 0)
		return -errno;
	return TAKE_FD(place);
}

static int write_pieces(int meta, const char *prefix, const char *text, size_t len) {
	char name[32];
	unsigned i = 0;

	for (; len > 0 && i < PIECES_MAX; i++) {
		size_t n = len < PIECE_MAX ? len : PIECE_MAX;

		snprintf(name, sizeof(name), "%s%u", prefix, i);
		if (fsetxattr(meta, name, text, n, 0) < 0)
			return -errno;
		text += n;
		len -= n;
	}
	if (len > 0)
		return -E2BIG;
	snprintf(name, sizeof(name), "%s%u", prefix,
		 i); /* what a longer record left behind */
	if (fremovexattr(meta, name) < 0 && errno != ENODATA)
		return -errno;
	return 0;
}

int meta_write(int meta, const char *text, size_t len) {
	int r = -EOPNOTSUPP;

	for (size_t i = 0; r == -EOPNOTSUPP && i < ARRAY_SIZE(prefixes); i++)
		r = write_pieces(meta, prefixes[i], text, len);
	/* Before Linux 6.6 a user namespace has neither; what is merged there is nobody else's concern (command.3). */
	return r == -EPERM && geteuid() != 0 ? 0 : r;
}

static int read_pieces(int tree, const char *prefix, char *text, size_t *len) {
	char name[32];

	for (unsigned i = 0; i < PIECES_MAX; i++) {
		ssize_t n;

		snprintf(name, sizeof(name), "%s%u", prefix, i);
		n = fgetxattr(tree, name, text + *len, PIECE_MAX);
		if (n < 0 && (errno == ENODATA || errno == EOPNOTSUPP) && i > 0)
			return 0;
		if (n < 0)
			return -errno;
		*len += (size_t)n;
	}
	return 0;
}

/* Only who may mount can make a mount point: no layer, and nobody who writes in the tree. */
static int open_place(int tree) {
	_cleanup_close_ int fd = openat(tree, META_PLACE,
					O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd >= 0 && mount_is_root(fd) == 1)
		return TAKE_FD(fd);
	return file_reopen(tree, O_RDONLY | O_DIRECTORY);
}

int meta_read(int tree, char **ret, size_t *ret_len) {
	_cleanup_close_ int fd = open_place(tree);
	_cleanup_free_ char *text = malloc(PIECE_MAX * PIECES_MAX + 1);
	size_t len = 0;
	int r = -ENODATA;

	if (fd < 0 || !text)
		return fd < 0 ? fd : -ENOMEM;
	for (size_t i = 0; r == -ENODATA && i < ARRAY_SIZE(prefixes); i++) {
		r = read_pieces(fd, prefixes[i], text, &len);
		if (r == -EOPNOTSUPP)
			r = -ENODATA;
	}
	if (r < 0)
		return r;
	text[len] = '\0';
	*ret = TAKE_PTR(text);
	*ret_len = len;
	return 0;
}

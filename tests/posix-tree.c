/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What each case of tests/posix.c finds: the same, whatever layers it is in. "gone" and "gonedir" are never there. */
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "posix.h"

#define BELOW 1 /* where a file is in both layers: in which of them it is */
#define ABOVE 2
#define EACH (BELOW | ABOVE)

static const struct entry {
	const char *name;
	mode_t mode;
	uid_t uid;
	gid_t gid;
	const char *text; /* or target; below it is another one where there is one above */
	unsigned in;
} entries[] = {
	{ "file", S_IFREG | 0644, 0, 0, "0123456789", EACH },
	{ "other", S_IFREG | 0644, 0, 0, "other", EACH },
	{ "empty", S_IFREG | 0644, 0, 0, "", EACH },
	{ "mine", S_IFREG | 0640, OWNER, OWNER, "mine", EACH },
	{ "group", S_IFREG | 0660, OWNER, GROUP, "group", EACH },
	{ "suid", S_IFREG | 06755, OWNER, GROUP, "suid", EACH },
	{ "locking", S_IFREG | 02644, OWNER, GROUP, "locking", EACH },
	{ "secret", S_IFREG | 0600, 0, 0, "secret", EACH },
	{ "tagged", S_IFREG | 0644, OWNER, OWNER, "tagged", EACH },
	{ "below", S_IFREG | 0644, 0, 0, "below", BELOW },
	{ "dir", S_IFDIR | 0755, 0, 0, NULL, EACH },
	{ "dir2", S_IFDIR | 0755, 0, 0, NULL, EACH },
	{ "full", S_IFDIR | 0755, 0, 0, NULL, EACH },
	{ "full/in", S_IFREG | 0644, 0, 0, "in", BELOW },
	{ "full/too", S_IFREG | 0644, 0, 0, "too", ABOVE },
	{ "full/sub", S_IFDIR | 0755, 0, 0, NULL, BELOW },
	{ "full/sub/deep", S_IFREG | 0644, 0, 0, "deep", BELOW },
	{ "owned", S_IFDIR | 0700, OWNER, OWNER, NULL, EACH },
	{ "owned/in", S_IFREG | 0644, OWNER, OWNER, "in", EACH },
	{ "shut", S_IFDIR | 0700, 0, 0, NULL, EACH },
	{ "shut/in", S_IFREG | 0666, 0, 0, "in", EACH },
	{ "fixed", S_IFDIR | 0755, 0, 0, NULL, EACH },
	{ "fixed/in", S_IFREG | 0666, 0, 0, "in", EACH },
	{ "sticky", S_IFDIR | 01777, 0, 0, NULL, EACH },
	{ "sticky/mine", S_IFREG | 0666, OWNER, OWNER, "mine", EACH },
	{ "sticky/its", S_IFREG | 0666, OTHER, OTHER, "its", EACH },
	{ "sticky/dir", S_IFDIR | 0777, OTHER, OTHER, NULL, EACH },
	{ "grouped", S_IFDIR | 02777, 0, GROUP, NULL, EACH },
	{ "symlink", S_IFLNK | 0777, 0, 0, "file", EACH },
	{ "todir", S_IFLNK | 0777, 0, 0, "full", EACH },
	{ "dangling", S_IFLNK | 0777, 0, 0, "nowhere", EACH },
	{ "loop", S_IFLNK | 0777, 0, 0, "loop", EACH },
	{ "fifo", S_IFIFO | 0644, 0, 0, NULL, EACH },
	{ "socket", S_IFSOCK | 0644, 0, 0, NULL, EACH },
	{ "null", S_IFCHR | 0666, 0, 0, NULL, EACH },
};

static int fill(int fd, const char *text) {
	return write(fd, text, strlen(text)) == (ssize_t)strlen(text) ? 0 : -1;
}

static int make_file(int directory, const char *name, const char *text) {
	_cleanup_close_ int fd = openat(directory, name,
					O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	return fd < 0 ? -1 : fill(fd, text);
}

static int make_one(int directory, const struct entry *e, const char *text) {
	int r;

	if (S_ISREG(e->mode))
		r = make_file(directory, e->name, text);
	else if (S_ISDIR(e->mode))
		r = mkdirat(directory, e->name, 0700);
	else if (S_ISLNK(e->mode))
		r = symlinkat(text, directory, e->name);
	else
		r = mknodat(directory, e->name, e->mode,
			    S_ISCHR(e->mode) ? makedev(1, 3) : 0);
	if (r == 0)
		r = fchownat(directory, e->name, e->uid, e->gid, AT_SYMLINK_NOFOLLOW);
	if (r == 0 && !S_ISLNK(e->mode))
		r = fchmodat(directory, e->name, e->mode & 07777, 0);
	return r;
}

/* 4 KiB of data, a hole, and data from 200,000 to 300,000. */
static int make_big(int directory) {
	_cleanup_close_ int fd = openat(directory, "big",
					O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	char data[100000];

	memset(data, 'x', sizeof(data));
	return fd < 0 || pwrite(fd, data, 4096, 0) != 4096 ||
			       pwrite(fd, data, sizeof(data), 200000) != sizeof(data)
		       ? -1
		       : 0;
}

static int make_names(int directory) {
	if (make_file(directory, "name1", "names") < 0)
		return -1;
	return linkat(directory, "name1", directory, "name2", 0);
}

/* What is executed: something that ends at once with 7. */
static int make_program(int directory) {
	static const char text[] = "#!/bin/sh\nexit 7\n";

	if (make_file(directory, "program", text) < 0)
		return -1;
	return fchmodat(directory, "program", 0755, 0);
}

/* In the upper layer a whiteout, in the lower what it hides. */
static int make_gone(int directory, bool is_upper) {
	if (is_upper)
		return mknodat(directory, "gone", S_IFCHR, makedev(0, 0)) < 0 ||
				       mknodat(directory, "gonedir", S_IFCHR,
					       makedev(0, 0)) < 0
			       ? -1
			       : 0;
	return make_file(directory, "gone", "gone") < 0 ||
			       mkdirat(directory, "gonedir", 0755) < 0 ||
			       make_file(directory, "gonedir/in", "gone") < 0
		       ? -1
		       : 0;
}

static int tag(int directory) {
	_cleanup_close_ int fd = openat(directory, "tagged", O_RDONLY | O_CLOEXEC);

	return fd < 0 ? -1 : fsetxattr(fd, "user.tag", "value", 5, 0);
}

int posix_make(int directory, enum posix_origin origin, bool is_upper) {
	const bool both = origin == POSIX_BOTH;
	int r = both ? make_gone(directory, is_upper) : 0;

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(entries); i++) {
		const struct entry *e = &entries[i];
		const bool hidden = both && !is_upper && e->in == EACH;

		if (!both || e->in & (is_upper ? ABOVE : BELOW))
			r = make_one(directory, e, hidden ? "something old" : e->text);
	}
	if (r == 0 && !(both && !is_upper))
		r = make_big(directory);
	if (r == 0)
		r = make_names(directory);
	if (r == 0)
		r = make_program(directory);
	return r == 0 ? tag(directory) : r;
}

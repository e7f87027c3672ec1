/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A file that appears whole or never. */
#include "newfile.h"

#include <fcntl.h>
#include <string.h>
#include <sys/random.h>

#include "file.h"
#include "text.h"

#define MODE 0644
#define NAME_TRIES 16

/* A name that no extension can have (specs: discover.*), which nobody else will guess. */
static char *temporary_name(void) {
	uint64_t number;

	if (getrandom(&number, sizeof(number), 0) != sizeof(number))
		return NULL;
	return text_format(".#extmerge-%016llx", (unsigned long long)number);
}

static int create_named(struct newfile *f) {
	for (unsigned i = 0; i < NAME_TRIES; i++) {
		free(f->temporary);
		f->temporary = temporary_name();
		if (!f->temporary)
			return -ENOMEM;
		f->fd = openat(f->directory, f->temporary,
			       O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, MODE);
		if (f->fd >= 0)
			return 0;
		if (errno != EEXIST)
			break;
	}
	f->fd = -errno;
	free(TAKE_PTR(f->temporary));
	return f->fd;
}

/* Nameless where the file system can: then nothing is left behind, however this ends. */
static int create(struct newfile *f) {
	f->fd = openat(f->directory, ".", O_RDWR | O_TMPFILE | O_CLOEXEC, MODE);
	if (f->fd >= 0)
		return 0;
	if (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL)
		return -errno;
	return create_named(f);
}

int newfile_open(const char *path, struct newfile *ret) {
	const char *slash = strrchr(path, '/');
	_cleanup_free_ char *directory = slash ? strndup(path, (size_t)(slash - path) + 1)
					       : strdup(".");
	_cleanup_(newfile_done) struct newfile f = NEWFILE_NONE;
	int r;

	f.name = strdup(slash ? slash + 1 : path);
	if (!directory || !f.name)
		return -ENOMEM;
	if (!*f.name)
		return -EISDIR;
	f.directory = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (f.directory < 0)
		return -errno;
	r = create(&f);
	if (r < 0)
		return r;
	*ret = f;
	f = (struct newfile)NEWFILE_NONE;
	return 0;
}

static int link_as(const struct newfile *f, const char *name) {
	char path[FILE_FD_PATH_MAX];

	file_fd_path(f->fd, path);
	return linkat(AT_FDCWD, path, f->directory, name, AT_SYMLINK_FOLLOW) < 0 ? -errno
										 : 0;
}

/* What replaces another file has to have a name before. */
static int name_temporarily(struct newfile *f) {
	_cleanup_free_ char *name = temporary_name();
	int r = name ? link_as(f, name) : -ENOMEM;

	if (r == 0)
		f->temporary = TAKE_PTR(name);
	return r;
}

static int replace(struct newfile *f) {
	int r = f->temporary ? 0 : name_temporarily(f);

	if (r < 0)
		return r;
	if (renameat(f->directory, f->temporary, f->directory, f->name) < 0)
		return -errno;
	free(TAKE_PTR(f->temporary));
	return 0;
}

/* FAT knows no links, NFS no such rename. */
static int appear(struct newfile *f) {
	if (!f->temporary)
		return link_as(f, f->name);
	if (renameat2(f->directory, f->temporary, f->directory, f->name,
		      RENAME_NOREPLACE) == 0) {
		free(TAKE_PTR(f->temporary));
		return 0;
	}
	return errno == EINVAL || errno == ENOSYS ? link_as(f, f->name) : -errno;
}

int newfile_publish(struct newfile *f, bool overwrite) {
	int r;

	if (fsync(f->fd) < 0)
		return -errno;
	r = overwrite ? replace(f) : appear(f);
	if (r == 0 && fsync(f->directory) < 0)
		r = -errno;
	return r;
}

void newfile_done(struct newfile *f) {
	if (f->temporary)
		(void)unlinkat(f->directory, f->temporary, 0);
	free(f->temporary);
	free(f->name);
	close_fdp(&f->fd);
	close_fdp(&f->directory);
	*f = (struct newfile)NEWFILE_NONE;
}

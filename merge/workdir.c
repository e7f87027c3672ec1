/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The directories in which an overlay prepares what it puts into its upper layer. */
#include "workdir.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "file.h"
#include "kernel.h"
#include "strv.h"
#include "text.h"

#define INFIX ".extmerge-work-"
#define NAMES_MAX 1000u
#define ENTRIES_MAX 100000u
#define DEPTH_MAX 32u
#define LISTING_SIZE 4096

int workdir_make(int parent, const char *upper, char **ret) {
	for (unsigned i = 0; i < NAMES_MAX; i++) {
		_cleanup_free_ char *name = text_format(".%s" INFIX "%u", upper, i);

		if (!name)
			return -ENOMEM;
		if (mkdirat(parent, name, 0700) == 0) {
			*ret = TAKE_PTR(name);
			return 0;
		}
		if (errno != EEXIST)
			return -errno;
	}
	return -EEXIST;
}

/* What is removed: its directory on top, how many have been brought up to that, and how many entries are gone. */
struct removal {
	int top;
	unsigned brought_up;
	uint64_t removed;
};

static int empty(struct removal *w, int directory, unsigned depth);

/* Nobody but root puts anything into it from now on, not even who stands in it: there is an end. */
static int close_to_others(int directory) {
	if (fchown(directory, 0, 0) < 0 || fchmod(directory, 0700) < 0)
		return errno == EPERM ? 0 : -errno;
	return 0;
}

static int unlink_it(struct removal *w, int directory, const char *name, int flags) {
	if (unlinkat(directory, name, flags) < 0)
		return errno == ENOENT ? 0 : -errno;
	w->removed++;
	return 0;
}

/* A directory that lies too deep becomes one of the top, whose turn comes again. */
static int bring_up(struct removal *w, int directory, const char *name) {
	int r = -EEXIST;

	while (r == -EEXIST) {
		char shallow[32];

		snprintf(shallow, sizeof(shallow), ".extmerge-%u", w->brought_up++);
		r = renameat2(directory, name, w->top, shallow, RENAME_NOREPLACE) < 0
			    ? -errno
			    : 0;
	}
	return r;
}

/* Whatever it is: tried as a file first. What is mounted there is busy, and stays. */
static int remove_entry(struct removal *w, int directory, const char *name,
			unsigned depth) {
	_cleanup_close_ int fd = -EBADF;
	int r;

	r = unlink_it(w, directory, name, 0);
	if (r != -EISDIR && r != -EPERM)
		return r;
	if (depth == DEPTH_MAX)
		return bring_up(w, directory, name);
	fd = file_open_exact(directory, name, O_RDONLY | O_DIRECTORY);
	r = fd < 0 ? fd : close_to_others(fd);
	if (depth == 0)
		w->top = fd;
	if (r == 0)
		r = empty(w, fd, depth + 1);
	return r < 0 ? r : unlink_it(w, directory, name, AT_REMOVEDIR);
}

/* One piece of the listing: 1, or 0 where there is no more, or a negative errno. */
static int empty_piece(struct removal *w, int directory, unsigned depth) {
	_Alignas(struct kernel_dirent) char listing[LISTING_SIZE];
	ssize_t n = sys_getdents64(directory, listing, sizeof(listing));
	int r = n < 0 && errno != ENOENT ? -errno : n > 0;

	for (ssize_t at = 0; r >= 0 && at < n;) {
		const struct kernel_dirent *e = (const void *)(listing + at);

		at += e->d_reclen;
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		r = remove_entry(w, directory, e->d_name, depth);
	}
	return r < 0 ? r : n > 0;
}

/* Begun anew until there is nothing to remove: whoever wrote there chose how much it is, and how deep. */
static int empty(struct removal *w, int directory, unsigned depth) {
	uint64_t before;
	int r;

	do {
		before = w->removed;
		r = lseek(directory, 0, SEEK_SET) < 0 ? -errno : 1;
		while (r > 0)
			r = empty_piece(w, directory, depth);
	} while (r == 0 && w->removed > before);
	return r;
}

int workdir_remove(int parent, const char *name) {
	struct removal w = { .top = -EBADF };

	return remove_entry(&w, parent, name, 0);
}

static bool is_workdir(const char *name, const char *upper) {
	size_t len = strlen(upper);

	if (name[0] != '.' || strncmp(name + 1, upper, len) != 0 ||
	    strncmp(name + 1 + len, INFIX, strlen(INFIX)) != 0)
		return false;
	name += 1 + len + strlen(INFIX);
	return *name && strspn(name, "0123456789") == strlen(name);
}

int workdir_sweep(int parent, const char *upper, const char *keep) {
	_cleanup_strv_ char **names = NULL;
	int r = file_list(parent, ENTRIES_MAX, &names), n = 0;

	for (char **name = names; r == 0 && name && *name; name++) {
		if (!is_workdir(*name, upper) || (keep && strcmp(*name, keep) == 0))
			continue;
		r = workdir_remove(parent, *name);
		n++;
	}
	return r < 0 ? r : n;
}

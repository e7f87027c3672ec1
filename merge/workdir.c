/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The directories in which an overlay prepares what it puts into its upper layer. */
#include "workdir.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "file.h"
#include "strv.h"
#include "text.h"

#define INFIX ".extmerge-work-"
#define NAMES_MAX 1000u
#define ENTRIES_MAX 100000u
#define DEPTH_MAX 128u

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

static int empty(int directory, unsigned depth);

/* Whatever it is: tried as a file first. What is mounted there is busy, and stays. */
static int remove_entry(int directory, const char *name, unsigned depth) {
	_cleanup_close_ int fd = -EBADF;
	int r;

	if (unlinkat(directory, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return -errno;
	fd = file_open_exact(directory, name, O_RDONLY | O_DIRECTORY);
	r = fd < 0 ? fd : empty(fd, depth + 1);
	if (r < 0)
		return r;
	return unlinkat(directory, name, AT_REMOVEDIR) < 0 && errno != ENOENT ? -errno
									      : 0;
}

static int empty(int directory, unsigned depth) {
	_cleanup_strv_ char **names = NULL;
	int r = depth > DEPTH_MAX ? -ELOOP : file_list(directory, ENTRIES_MAX, &names);

	for (char **name = names; r == 0 && name && *name; name++)
		r = remove_entry(directory, *name, depth);
	return r;
}

int workdir_remove(int parent, const char *name) {
	return remove_entry(parent, name, 0);
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

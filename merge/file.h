/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Files and directories below a root fd that is never left (DESIGN, STYLE 14). */
#pragma once

#include <sys/stat.h>

#include "base.h"

/*
 * Opens `path` below `root`, symlinks included, as if `root` were "/" (RESOLVE_IN_ROOT). O_CLOEXEC,
 * O_NOCTTY and O_NONBLOCK are added. Returns an fd that the caller owns, or a negative errno.
 */
int file_open_in(int root, const char *path, int flags);

/*
 * Opens `path` below `dir` without following any symlink, crossing any mount or leaving `dir`: for
 * what must be the thing itself. As file_open_in() otherwise.
 */
int file_open_exact(int dir, const char *path, int flags);

/*
 * The same, but for mounts, which are crossed: for a place that may be a mount point, in a tree that others write.
 */
int file_open_below(int dir, const char *path, int flags);

/* Opens what the O_PATH fd `fd` refers to again, for reading, whatever has become of its name. */
int file_reopen(int fd, int flags);

/*
 * Reads the whole file, at most `max` bytes. 0 with a NUL-terminated buffer that the caller owns;
 * -EFBIG where it is longer; otherwise a negative errno.
 */
int file_read(int fd, size_t max, char **ret, size_t *ret_len);

/* Reads up to `len` bytes from `offset`; less only at the end of the file. Bytes or negative errno. */
ssize_t file_read_at(int fd, void *buffer, size_t len, uint64_t offset);

/*
 * The names in the directory, without "." and "..", sorted by bytes so that the kernel's order
 * never matters. `fd` may be O_PATH. At most `max` names: -E2BIG. The caller owns *ret (strv).
 */
int file_list(int fd, size_t max, char ***ret);

struct file_entry {
	char *name;
	unsigned char
		type; /* DT_*, as the file system says: not to be relied on where it is not trusted */
};

struct file_entries {
	struct file_entry *items;
	size_t n, room;
};

/*
 * The same, with types, for an fd that is open for reading and was not read from yet: the rest of it is
 * read. The caller ends *ret with file_entries_done().
 */
int file_list_opened(int fd, size_t max, struct file_entries *ret);
void file_entries_done(struct file_entries *l);

/* Whether an error says something about the machine's state, not about what is read: memory, fds, space. */
bool file_is_shortage(int error);

/* "/proc/self/fd/N" of an fd, for calls that only take a path. */
#define FILE_FD_PATH_MAX 32
void file_fd_path(int fd, char ret[static FILE_FD_PATH_MAX]);

/* A path below the root for a person: exactly one '/' in front. NULL where memory ran out. */
char *file_join(const char *dir, const char *name);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the cases of tests/posix.c share: each runs in a process and in a directory of its own, of which posix-tree.c says what is in it. */
#pragma once

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "merge/base.h"

struct posix_case {
	const char *name; /* NULL at the end */
	void (*run)(void);
};

extern const struct posix_case posix_opening[], posix_names[], posix_renaming[],
	posix_directories[], posix_attributes[], posix_times[], posix_xattrs[],
	posix_data[], posix_space[], posix_locks[], posix_rights[], posix_paths[];

/* Where a file is before the case begins. */
enum posix_origin { POSIX_UPPER, POSIX_LOWER, POSIX_BOTH, POSIX_ORIGINS };
extern const char *const posix_origin_names[POSIX_ORIGINS];

/* Makes what a case finds in its directory, in the lower or in the upper layer. 0, or -1 with errno. */
int posix_make(int directory, enum posix_origin origin, bool is_upper);

/* Prints whether it is so, and errno if not. */
void posix_say(bool is_so, const char *what);
#define CHECK(what) posix_say((what), #what)

/* --- of calls --- */

static inline bool works(long r) {
	return r >= 0;
}

static inline bool fails(long r, int error) {
	return r < 0 && errno == error;
}

/* --- of files; a missing one is nothing of all that --- */

struct stat status(const char *path);

static inline mode_t mode_of(const char *path) {
	return status(path).st_mode & 07777;
}

static inline mode_t type_of(const char *path) {
	return status(path).st_mode & S_IFMT;
}

static inline off_t size_of(const char *path) {
	return status(path).st_size;
}

static inline unsigned links_of(const char *path) {
	return (unsigned)status(path).st_nlink;
}

static inline bool is_there(const char *path) {
	return type_of(path) != 0;
}

static inline bool same_file(const char *a, const char *b) {
	return is_there(a) && status(a).st_ino == status(b).st_ino &&
	       status(a).st_dev == status(b).st_dev;
}

/* Whether a file, or an open file, has this text and no more. */
bool holds(const char *path, const char *text);
bool fd_holds(int fd, const char *text);

/* As open(2), with O_CLOEXEC and a mode of 0644; and that with a text that is written. -1 with errno. */
int opened(const char *path, int flags);
int put(const char *path, const char *text);

/* --- of time --- */

/* Returns when the clock of the file system shows another time. */
void tick(void);

/* Which times of a file are others than before: some of "m", "c", or "". */
const char *changed(const struct stat *before, const char *path);

/* Whether they are these, after `call`, for which there is a tick before. */
#define CHANGES(call, path, times)                                              \
	({                                                                      \
		const struct stat before_ = status(path);                       \
                                                                                \
		tick();                                                         \
		works(call) && strcmp(changed(&before_, (path)), (times)) == 0; \
	})

/* --- of callers: somebody else, in this and no other group, and root again --- */

#define OWNER 1000 /* of what has one in posix-tree.c, and its group */
#define GROUP 1001
#define OTHER 1002

void as(uid_t uid, gid_t gid);
void as_root(void);

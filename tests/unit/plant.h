/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Layers of a hierarchy in the scratch directory, from a line of text. */
#pragma once

#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "merge/layer.h"
#include "merge/text.h"
#include "scratch.h"

/*
 * Makes the directory `name` with what the words say: "d/" a directory, "f=text" a file, "l>target" a symlink, "w!" a whiteout,
 * "p|" a FIFO, "d*" makes a directory opaque, "d*x" gives it that other value, "f@600" changes a mode. False where this user may not do one of them.
 */
static inline bool plant(const char *name, const char *words) {
	_cleanup_free_ char *copy = strdup(words);
	_cleanup_close_ int fd = -EBADF;
	char *rest = copy, *word;

	scratch_mkdir(name);
	fd = openat(scratch_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	while ((word = strsep(&rest, " "))) {
		size_t len = strcspn(word, "=>!|*@");
		const char mark = word[len], *value = mark ? word + len + 1 : "";
		_cleanup_close_ int at = -EBADF;
		int r = 0;

		if (!*word)
			continue;
		word[len] = '\0';
		switch (mark) {
		case '=':
			at = openat(fd, word, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
				    0644);
			r = write(at, value, strlen(value)) < 0 ? -1 : 0;
			break;
		case '>':
			r = symlinkat(value, fd, word);
			break;
		case '!':
			if (mknodat(fd, word, S_IFCHR, makedev(0, 0)) < 0)
				return false;
			break;
		case '|':
			r = mkfifoat(fd, word, 0644);
			break;
		case '*':
			at = openat(fd, word, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
			if (fsetxattr(at, "trusted.overlay.opaque", *value ? value : "y",
				      1, 0) < 0)
				return false;
			break;
		case '@':
			r = fchmodat(fd, word, (mode_t)strtoul(value, NULL, 8), 0);
			break;
		default:
			r = mkdirat(fd, word, 0755);
		}
		ck_assert_msg(r == 0, "cannot make '%s'", word);
	}
	return true;
}

/* What lies there, as an O_PATH fd. */
static inline int plant_open(const char *name) {
	int fd = openat(scratch_fd, name, O_PATH | O_DIRECTORY | O_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	return fd;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Compares two directory trees entry by entry, the first of which is overlayfs and the other a union of ours:
 *     alike OVERLAY UNION [SINCE]
 * prints each difference, and at the end how many entries there were. Exit status 1 if there are differences. What
 * specs/union.md names as different on purpose (union.15) is none. With SINCE, in seconds since 1970, two times that are not before it are the same: both trees were
 * changed by then, and what was copied may have other holes. For tests/root/union.sh and union-write.sh.
 */
#include <dirent.h>
#include <fcntl.h>
#include <search.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "merge/base.h"
#include "merge/file.h"
#include "merge/strv.h"
#include "merge/text.h"

#define SHOWN_MAX 50

static unsigned long n_entries, n_differences;
static time_t since = -1;

static void differ(const char *path, const char *name, const char *what, long long a,
		   long long b) {
	_cleanup_free_ char *shown = text_escape(name), *where = text_escape(path);

	if (n_differences++ < SHOWN_MAX)
		printf("%s/%s: %s: %lld, should be %lld\n", where, shown, what, b, a);
}

/* --- inode numbers: what is one file on one side is one on the other --- */

struct pair {
	dev_t device;
	ino_t inode, other;
};

static int compare_pairs(const void *a, const void *b) {
	const struct pair *p = a, *q = b;

	if (p->device != q->device)
		return p->device < q->device ? -1 : 1;
	return p->inode < q->inode ? -1 : p->inode > q->inode;
}

/* False if the file was met with another number on the other side. */
static bool note(void **root, dev_t device, ino_t inode, ino_t other) {
	struct pair *p = malloc(sizeof(*p)), **found;

	*p = (struct pair){ device, inode, other };
	found = tsearch(p, root, compare_pairs);
	if (*found == p)
		return true;
	free(p);
	return (*found)->other == other;
}

static void compare_inodes(const char *path, const char *name, const struct stat *a,
			   const struct stat *b) {
	static void *forth, *back;

	if (!note(&forth, a->st_dev, a->st_ino, b->st_ino) && !S_ISDIR(a->st_mode))
		differ(path, name, "two inodes where there is one", (long long)a->st_ino,
		       (long long)b->st_ino);
	/* The number that stands for (device, inode) must stand for no other. */
	if (!note(&back, b->st_dev, b->st_ino, a->st_ino ^ (ino_t)a->st_dev << 40))
		differ(path, name, "one inode where there are two", (long long)a->st_ino,
		       (long long)b->st_ino);
}

/* --- one entry --- */

static void compare_times(const char *path, const char *name, const char *what,
			  const struct timespec *a, const struct timespec *b) {
	if (since >= 0 && a->tv_sec >= since && b->tv_sec >= since)
		return;
	if (a->tv_sec != b->tv_sec || a->tv_nsec != b->tv_nsec)
		differ(path, name, what, a->tv_sec, b->tv_sec);
}

static void compare_stat(const char *path, const char *name, const struct stat *a,
			 const struct stat *b) {
	const struct {
		const char *what;
		long long a, b;
	} fields[] = {
		{ "mode", a->st_mode, b->st_mode },
		{ "owner", a->st_uid, b->st_uid },
		{ "group", a->st_gid, b->st_gid },
		{ "links", (long long)a->st_nlink, (long long)b->st_nlink },
		{ "device number", (long long)a->st_rdev, (long long)b->st_rdev },
		{ "size", a->st_size, b->st_size },
		{ "blocks", since < 0 ? a->st_blocks : 0, since < 0 ? b->st_blocks : 0 },
		{ "block size", a->st_blksize, b->st_blksize },
	};

	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		if (fields[i].a != fields[i].b)
			differ(path, name, fields[i].what, fields[i].a, fields[i].b);
	compare_times(path, name, "mtime", &a->st_mtim, &b->st_mtim);
	compare_times(path, name, "ctime", &a->st_ctim, &b->st_ctim);
}

/* union.25: before Linux 6.6 the kernel asks no server of FUSE for it, and union.sh looks whether this one does. */
static void compare_births(const char *path, const char *name, int a, int b) {
	static bool is_asked;
	struct statx of_a = { .stx_mask = 0 }, of_b = { .stx_mask = 0 };
	struct timespec birth_a, birth_b;

	if (statx(a, name, AT_SYMLINK_NOFOLLOW, STATX_BTIME, &of_a) < 0 ||
	    statx(b, name, AT_SYMLINK_NOFOLLOW, STATX_BTIME, &of_b) < 0)
		differ(path, name, "statx", errno, 0);
	is_asked = is_asked || of_b.stx_mask & STATX_BTIME;
	if (!is_asked)
		return;
	if ((of_a.stx_mask ^ of_b.stx_mask) & STATX_BTIME)
		differ(path, name, "has a time of birth", of_a.stx_mask & STATX_BTIME,
		       of_b.stx_mask & STATX_BTIME);
	birth_a = (struct timespec){ of_a.stx_btime.tv_sec, of_a.stx_btime.tv_nsec };
	birth_b = (struct timespec){ of_b.stx_btime.tv_sec, of_b.stx_btime.tv_nsec };
	compare_times(path, name, "birth", &birth_a, &birth_b);
}

/* The names, sorted, in one text, with their values. */
static char *all_xattrs(int dir, const char *name) {
	char list[65536], value[65536], *text = NULL;
	_cleanup_strv_ char **names = NULL;
	size_t size;
	ssize_t n;
	FILE *out = open_memstream(&text, &size);

	if (fchdir(dir) < 0)
		abort();
	n = llistxattr(name, list, sizeof(list));
	if (n < 0)
		fprintf(out, "error %d", errno);
	for (char *p = list; n > 0 && p < list + n; p += strlen(p) + 1)
		strv_append(&names, p);
	if (names)
		strv_sort(names);
	for (char **p = names; p && *p; p++) {
		ssize_t m = lgetxattr(name, *p, value, sizeof(value));

		fprintf(out, "%s=%zd:", *p, m);
		for (ssize_t i = 0; i < m; i++)
			fprintf(out, "%02x", (unsigned char)value[i]);
		fputc('\n', out);
	}
	fclose(out);
	return text;
}

static void compare_xattrs(const char *path, const char *name, int a, int b) {
	_cleanup_free_ char *of_a = all_xattrs(a, name), *of_b = all_xattrs(b, name);

	if (strcmp(of_a, of_b) == 0)
		return;
	differ(path, name, "extended attributes", (long long)strlen(of_a),
	       (long long)strlen(of_b));
	if (n_differences < SHOWN_MAX)
		printf("--- should be\n%s--- is\n%s", of_a, of_b);
}

static void compare_targets(const char *path, const char *name, int a, int b) {
	char of_a[4097], of_b[4097];
	ssize_t n = readlinkat(a, name, of_a, sizeof(of_a)),
		m = readlinkat(b, name, of_b, sizeof(of_b));

	if (n != m || (n > 0 && memcmp(of_a, of_b, (size_t)n) != 0))
		differ(path, name, "target", n, m);
}

static void compare_data(const char *path, const char *name, int a, int b) {
	_cleanup_close_ int of_a = openat(a, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW),
			    of_b = openat(b, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	char got_a[8192], got_b[8192];
	ssize_t n, m;

	if (of_a < 0 || of_b < 0) {
		differ(path, name, "can be opened", of_a, of_b);
		return;
	}
	do {
		n = read(of_a, got_a, sizeof(got_a));
		m = read(of_b, got_b, sizeof(got_b));
		if (n != m || (n > 0 && memcmp(got_a, got_b, (size_t)n) != 0)) {
			differ(path, name, "data", n, m);
			return;
		}
	} while (n > 0);
	for (off_t at = since < 0 ? 0 : -1, hole = SEEK_DATA; at >= 0;
	     hole ^= SEEK_DATA ^ SEEK_HOLE) {
		off_t other = lseek(of_b, at, (int)hole);

		at = lseek(of_a, at, (int)hole);
		if (at != other)
			differ(path, name, "holes", at, other);
	}
}

/* union.15: what overlayfs does not give out at all because its data are elsewhere is seen here, but not read. */
static bool is_refused_when_read(int dir, const char *name) {
	_cleanup_close_ int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	char byte;

	return fd < 0 ? errno == EPERM : read(fd, &byte, 1) < 0 && errno == EPERM;
}

static void compare_trees(const char *path, int a, int b);

static void compare_entry(const char *path, const char *name, int a, int b) {
	struct stat of_a, of_b;
	int failed_a = fstatat(a, name, &of_a, AT_SYMLINK_NOFOLLOW) < 0 ? errno : 0,
	    failed_b = fstatat(b, name, &of_b, AT_SYMLINK_NOFOLLOW) < 0 ? errno : 0;

	n_entries++;
	if (failed_a == EPERM && !failed_b && S_ISREG(of_b.st_mode) &&
	    is_refused_when_read(b, name))
		return;
	if (failed_a != failed_b)
		differ(path, name, "error", failed_a, failed_b);
	if (failed_a || failed_b)
		return;
	compare_stat(path, name, &of_a, &of_b);
	compare_inodes(path, name, &of_a, &of_b);
	compare_births(path, name, a, b);
	compare_xattrs(path, name, a, b);
	if (S_ISLNK(of_a.st_mode))
		compare_targets(path, name, a, b);
	if (S_ISREG(of_a.st_mode))
		compare_data(path, name, a, b);
	if (S_ISDIR(of_a.st_mode)) {
		_cleanup_free_ char *below = text_format("%s/%s", path, name);
		_cleanup_close_ int in_a = openat(a, name,
						  O_RDONLY | O_DIRECTORY | O_CLOEXEC),
				    in_b = openat(b, name,
						  O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		compare_trees(below, in_a, in_b);
	}
}

/* --- one directory --- */

/* The names that are there; overlayfs also lists some that are not (union.15). */
static char **list(int dir) {
	DIR *d = fdopendir(dup(dir));
	char **names = NULL;
	struct dirent *e;

	rewinddir(d);
	while ((e = readdir(d))) {
		struct stat st;

		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		if (fstatat(dir, e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 ||
		    errno != ENOENT)
			strv_append(&names, e->d_name);
	}
	closedir(d);
	if (names)
		strv_sort(names);
	return names;
}

/* What a listing of ours says is what stat says; it can be begun anywhere, and is the same each time. */
static void check_listing(const char *path, int dir) {
	DIR *d = fdopendir(dup(dir));
	_cleanup_strv_ char **names = NULL;
	struct dirent *e;
	long middle = -1;
	size_t n = 0, at = 0;

	rewinddir(d);
	while ((e = readdir(d))) {
		struct stat st;

		strv_append(&names, e->d_name);
		if (++n % 2 == 0) {
			at = n;
			middle = telldir(d);
		}
		if (fstatat(dir, e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		if (*path || strcmp(e->d_name, "..") != 0) {
			if (st.st_ino != e->d_ino)
				differ(path, e->d_name, "inode in the listing",
				       (long long)st.st_ino, (long long)e->d_ino);
			if (e->d_type != DT_UNKNOWN && e->d_type != IFTODT(st.st_mode))
				differ(path, e->d_name, "type in the listing",
				       IFTODT(st.st_mode), e->d_type);
		}
	}
	if (middle >= 0) {
		seekdir(d, middle);
		for (; (e = readdir(d)); at++)
			if (at >= n || strcmp(names[at], e->d_name) != 0)
				differ(path, e->d_name, "place in the listing",
				       (long long)at, (long long)n);
	}
	closedir(d);
}

static void compare_trees(const char *path, int a, int b) {
	_cleanup_strv_ char **in_a = list(a), **in_b = list(b);
	char *none[] = { NULL }, **p = in_a ?: none, **q = in_b ?: none;

	check_listing(path, b);
	while (*p || *q) {
		int order = !*p ? 1 : !*q ? -1 : strcmp(*p, *q);

		if (order == 0)
			compare_entry(path, *p, a, b);
		else
			differ(path, order < 0 ? *p : *q, "is there", order<0, order> 0);
		p += order <= 0;
		q += order >= 0;
	}
}

int main(int argc, char **argv) {
	const struct rlimit many = { 4096, 4096 };
	struct stat of_a, of_b;
	int a, b;

	setrlimit(RLIMIT_NOFILE, &many);
	if (argc != 3 && argc != 4)
		return 2;
	if (argc == 4)
		since = strtoll(argv[3], NULL, 10);
	a = open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	b = open(argv[2], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (a < 0 || b < 0 || fstat(a, &of_a) < 0 || fstat(b, &of_b) < 0)
		return 2;
	compare_stat("", ".", &of_a, &of_b);
	compare_xattrs("", ".", a, b);
	compare_trees("", a, b);
	printf("%lu entries, %lu differences\n", n_entries, n_differences);
	return n_differences > 0;
}

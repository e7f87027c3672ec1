/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Changes a directory tree at random:
 *     churn SEED COUNT DIR
 * does COUNT operations below DIR and prints what became of each: the operation, its path, its error, and what is seen
 * afterwards. On two trees that are the same it does the same with the same seed, so what it prints must be the same
 * too, and so must be the trees. For tests/root/union-write.sh, which has one on overlayfs and one on a union of ours.
 */
#include <dirent.h>
#include <fcntl.h>
#include <grp.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "merge/base.h"
#include "merge/strv.h"

#define HELD 8
#define PATH_MOST 600
#define SIZE_MOST 200000

static uint64_t state;

/* xorshift64*: the same everywhere. */
static unsigned chance(unsigned n) {
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return (unsigned)((state * UINT64_C(2685821657736338717)) >> 33) % n;
}

static const char *const names[] = { "a",   "b",   "c",	   "d",	   "e",	       "f",
				     "lib", "new", "new2", "a\nb", "\xff\xfe", "..." };

/* Files that stay open, whatever becomes of their names. */
static int held[HELD];

/* --- choosing --- */

static int compare(const void *a, const void *b) {
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The names that are there, sorted, as the order of a listing is nobody's promise. */
static char **list(const char *path) {
	DIR *d = opendir(path);
	char **found = NULL;
	struct dirent *e;

	while (d && (e = readdir(d))) {
		struct stat st;

		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		if (fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0)
			strv_append(&found, e->d_name);
	}
	if (d)
		closedir(d);
	if (found)
		qsort(found, strv_length(found), sizeof(*found), compare);
	return found;
}

/* A path that is often there, and sometimes not. */
static void choose(char path[static PATH_MOST]) {
	strcpy(path, ".");
	for (unsigned depth = 0; depth < 5; depth++) {
		_cleanup_strv_ char **there = list(path);
		size_t n = there ? strv_length(there) : 0, at = strlen(path);
		unsigned pick = chance(1000000);
		const char *name = n > 0 && chance(4) != 0
					   ? there[pick % n]
					   : names[pick % ARRAY_SIZE(names)];
		struct stat st;

		if (at + strlen(name) + 2 > PATH_MOST)
			return;
		path[at] = '/';
		strcpy(path + at + 1, name);
		if (lstat(path, &st) < 0 || !S_ISDIR(st.st_mode) || chance(3) == 0)
			return;
	}
}

/* --- saying --- */

static void escape(const char *text) {
	for (; *text; text++)
		if (*text > ' ' && *text < 0x7f)
			putchar(*text);
		else
			printf("\\x%02x", (unsigned char)*text);
}

static void say(const char *what, const char *path, long r) {
	struct stat st;
	int error = r < 0 ? errno : 0;

	printf("%s ", what);
	escape(path);
	printf(" %d", error);
	if (r > 0)
		printf(" =%ld", r);
	if (lstat(path, &st) == 0)
		printf(" %o %u:%u %lu %lld", st.st_mode, st.st_uid, st.st_gid,
		       S_ISDIR(st.st_mode) ? 0 : (unsigned long)st.st_nlink,
		       S_ISDIR(st.st_mode) ? 0 : (long long)st.st_size);
	putchar('\n');
}

static unsigned sum_of(int fd) {
	unsigned char buffer[4096];
	unsigned sum = 1;
	off_t at = 0;
	ssize_t n;

	while ((n = pread(fd, buffer, sizeof(buffer), at)) > 0) {
		for (ssize_t i = 0; i < n; i++)
			sum = sum * 31 + buffer[i];
		at += n;
	}
	return n < 0 ? 0 : sum & 0x7fffffff;
}

/* --- data --- */

static ssize_t scribble(int fd) {
	char text[5000];
	size_t n = chance(sizeof(text));

	for (size_t i = 0; i < n; i++)
		text[i] = (char)chance(256);
	return pwrite(fd, text, n, chance(SIZE_MOST));
}

static void open_one(const char *path) {
	static const int flags[] = { O_RDONLY,
				     O_RDWR,
				     O_WRONLY | O_CREAT,
				     O_WRONLY | O_CREAT | O_EXCL,
				     O_RDWR | O_TRUNC,
				     O_RDWR | O_CREAT | O_TRUNC,
				     O_WRONLY | O_APPEND,
				     O_RDONLY | O_TRUNC };
	int how = flags[chance(ARRAY_SIZE(flags))], slot = (int)chance(HELD);
	int fd = open(path, how | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC,
		      07777 & chance(010000));
	struct stat st;

	say("open", path, fd < 0 ? -1 : 0);
	if (fd < 0)
		return;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		close(fd);
		return;
	}
	if (chance(2) && (how & O_ACCMODE) != O_RDONLY)
		say("write", path, (long)scribble(fd));
	if ((how & O_ACCMODE) == O_RDONLY && chance(2)) {
		say("read", path, (long)sum_of(fd));
		close(fd);
		return;
	}
	if (held[slot] >= 0)
		close(held[slot]);
	held[slot] = fd;
}

/* What is held open: whatever is done to it, or done to its name. overlayfs shows old data there (specs: overlay.15). */
static void use_held(const char *path) {
	int fd = held[chance(HELD)];
	struct stat st;

	if (fd < 0 || (fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDONLY)
		return;
	switch (chance(6)) {
	case 0:
		say("held-truncate", path, ftruncate(fd, chance(SIZE_MOST)));
		break;
	case 1:
		say("held-chmod", path, fchmod(fd, chance(010000)));
		break;
	case 2:
		say("held-xattr", path, fsetxattr(fd, "user.held", "x", 1, 0));
		break;
	case 3:
		say("held-allocate", path,
		    fallocate(fd, chance(2) ? 1 /* KEEP_SIZE */ : 3 /* PUNCH_HOLE */,
			      chance(SIZE_MOST), 1 + chance(SIZE_MOST)));
		break;
	default:
		say("held-write", path, (long)scribble(fd));
	}
	if (fstat(fd, &st) == 0)
		printf("held %o %lu %lld %u\n", st.st_mode, (unsigned long)st.st_nlink,
		       (long long)st.st_size,
		       (fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDWR ? sum_of(fd) : 0);
}

static void copy_range(const char *from, const char *to) {
	_cleanup_close_ int in = open(from,
				      O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC),
			    out = open(to, O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	off_t at = chance(SIZE_MOST), where = chance(SIZE_MOST);

	if (in >= 0 && out >= 0)
		say("copy", to,
		    (long)copy_file_range(in, &at, out, &where, chance(SIZE_MOST), 0));
}

static void nameless(const char *path) {
	_cleanup_close_ int fd = open(path, O_TMPFILE | O_RDWR | O_CLOEXEC, 0640);
	char name[PATH_MOST], link[64];

	say("tmpfile", path, fd < 0 ? -1 : 0);
	if (fd < 0)
		return;
	scribble(fd);
	choose(name);
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	say("link-tmpfile", name,
	    linkat(AT_FDCWD, link, AT_FDCWD, name, AT_SYMLINK_FOLLOW));
}

/* --- names --- */

static void rename_one(const char *path) {
	static const unsigned flags[] = { 0, 0, 0, 0, 1, 2, 2, 4, 3 };
	unsigned how = flags[chance(ARRAY_SIZE(flags))];
	char to[PATH_MOST], what[32];
	long r;

	choose(to);
	r = syscall(SYS_renameat2, AT_FDCWD, path, AT_FDCWD, to, how);
	snprintf(what, sizeof(what), "rename%u", how);
	say(what, path, r);
	say("to", to, 0);
}

static void make_node(const char *path) {
	static const struct {
		mode_t type;
		unsigned major, minor;
	} kinds[] = { { S_IFIFO, 0, 0 },   { S_IFSOCK, 0, 0 }, { S_IFCHR, 1, 3 },
		      { S_IFBLK, 7, 200 }, { S_IFCHR, 0, 0 },  { S_IFREG, 0, 0 } };
	unsigned i = chance(ARRAY_SIZE(kinds));

	say("mknod", path,
	    mknod(path, kinds[i].type | (chance(010000)),
		  makedev(kinds[i].major, kinds[i].minor)));
}

/* --- attributes --- */

static void set_time(const char *path) {
	struct timespec times[] = { { chance(1u << 30), chance(1000000000) },
				    { chance(1u << 30), chance(1000000000) } };

	if (chance(4) == 0)
		times[chance(2)].tv_nsec = UTIME_OMIT;
	say("utimens", path, utimensat(AT_FDCWD, path, times, AT_SYMLINK_NOFOLLOW));
}

static void set_owner(const char *path) {
	uid_t uid = chance(3) ? 1000 + chance(2) : (uid_t)-1;
	gid_t gid = chance(3) || uid == (uid_t)-1 ? 1000 + chance(3) : (gid_t)-1;

	say("chown", path, lchown(path, uid, gid));
}

static void set_xattr(const char *path) {
	static const char acl[] =
		"\2\0\0\0\1\0\6\0\377\377\377\377\2\0\4\0\350\3\0\0\4\0\4\0\377\377"
		"\377\377\20\0\4\0\377\377\377\377\40\0\4\0\377\377\377\377";
	static const char capability[20] = { 1, 0, 0, 2, 0, 4 };
	static const struct {
		const char *name, *value;
		size_t size;
	} some[] = {
		{ "user.one", "1", 1 },
		{ "user.two", "two", 3 },
		{ "trusted.one", "", 0 },
		{ "trusted.overlay.opaque", "y", 1 },
		{ "system.posix_acl_access", acl, sizeof(acl) - 1 },
		{ "system.posix_acl_default", acl, sizeof(acl) - 1 },
		{ "security.capability", capability, sizeof(capability) },
		{ "unknown.one", "1", 1 },
	};
	unsigned i = chance(ARRAY_SIZE(some));

	if (chance(3) == 0)
		say("removexattr", path, lremovexattr(path, some[i].name));
	else
		say("setxattr", path,
		    lsetxattr(path, some[i].name, some[i].value, some[i].size,
			      (int)chance(3)));
}

/* --- all of it --- */

static void act(void) {
	char path[PATH_MOST], other[PATH_MOST];

	choose(path);
	switch (chance(24)) {
	case 0 ... 3:
		open_one(path);
		break;
	case 4:
	case 5:
		use_held(path);
		break;
	case 6:
		say("truncate", path, truncate(path, chance(SIZE_MOST)));
		break;
	case 7:
	case 8:
		say("mkdir", path, mkdir(path, chance(010000)));
		break;
	case 9:
	case 10:
		say("rmdir", path, rmdir(path));
		break;
	case 11:
	case 12:
		say("unlink", path, unlink(path));
		break;
	case 13 ... 15:
		rename_one(path);
		break;
	case 16:
		choose(other);
		say("link", other, linkat(AT_FDCWD, path, AT_FDCWD, other, 0));
		break;
	case 17:
		say("symlink", path, symlink(names[chance(ARRAY_SIZE(names))], path));
		break;
	case 18:
		make_node(path);
		break;
	case 19:
		say("chmod", path, chmod(path, chance(010000)));
		break;
	case 20:
		set_owner(path);
		break;
	case 21:
		set_time(path);
		break;
	case 22:
		set_xattr(path);
		break;
	default:
		choose(other);
		chance(2) ? copy_range(path, other) : nameless(path);
	}
}

/* Now and then as somebody else, whom the modes and lists of the tree keep out or let in. */
static void act_as_somebody(void) {
	/* None that a file has: which those are the server cannot know (specs: overlay.11). */
	static const gid_t groups[] = { 1003 };
	bool other = chance(4) == 0;

	umask(chance(2) ? 022 : 077);
	if (other && (setgroups(1, groups) < 0 || setegid(1001) < 0 || seteuid(1000) < 0))
		abort();
	act();
	if (other && (seteuid(0) < 0 || setegid(0) < 0 || setgroups(0, NULL) < 0))
		abort();
}

int main(int argc, char **argv) {
	unsigned long n;

	if (argc != 4 || chdir(argv[3]) < 0)
		return 2;
	state = strtoull(argv[1], NULL, 10) * UINT64_C(0x9e3779b97f4a7c15) + 1;
	n = strtoul(argv[2], NULL, 10);
	for (size_t i = 0; i < HELD; i++)
		held[i] = -EBADF;
	for (unsigned long i = 0; i < n; i++) {
		printf("%lu ", i);
		act_as_somebody();
	}
	return 0;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Makes directory trees with all that overlayfs knows, by chance:
 *     wild SEED LAYERS DIR [SPACE]
 * fills DIR/0 to DIR/LAYERS-1, which must be there and empty. The same seed gives the same trees. Names are few, so
 * that layers meet. SPACE is where overlayfs' marks are: "trusted.overlay." or "user.overlay.". Extended attributes that a file system refuses are left out. For tests/root/union.sh.
 */
#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "merge/base.h"

#define DEPTH 5
#define NAMES_MIN 8
#define NAMES_MORE 10
#define DEEP 300
#define BIG 10000

static uint64_t state;

/* xorshift64*: the same everywhere. */
static unsigned chance(unsigned n) {
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return (unsigned)((state * UINT64_C(2685821657736338717)) >> 33) % n;
}

static const char long_name[] =
	"nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"
	"nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"
	"nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"
	"nnn";
static const char *const names[] = {
	"a",
	"b",
	"c",
	"d",
	"e",
	"f",
	"lib",
	"bin",
	"a\nb",
	"\xff\xfe",
	" ",
	"-o",
	"a:b",
	"a,b",
	"a\\b",
	"...",
	".wh.a",
	"\x01",
	"\xc3\xa4",
	"*",
	long_name,
	"A",
	".wh..wh..opq",
	"\xe2\x80\xae",
};

static void must(int r, const char *what) {
	if (r >= 0)
		return;
	perror(what);
	exit(1);
}

/* As setxattr(2) on an entry of a directory; what is not supported is left out. */
static void mark(int dir, const char *name, const char *attribute, const char *value,
		 size_t size) {
	if (fchdir(dir) < 0 || (lsetxattr(name, attribute, value, size, 0) < 0 &&
				errno != EOPNOTSUPP && errno != EPERM && errno != EINVAL))
		must(-1, attribute);
}

static void mark_text(int dir, const char *name, const char *attribute,
		      const char *value) {
	mark(dir, name, attribute, value, strlen(value));
}

static const char *space = "trusted.overlay.";

/* One of overlayfs' own. */
static void mark_overlay(int dir, const char *name, const char *which, const char *value) {
	char attribute[64];

	snprintf(attribute, sizeof(attribute), "%s%s", space, which);
	mark_text(dir, name, attribute, value);
}

static void decorate(int dir, const char *name, mode_t type) {
	static const char capability[20] = { 1, 0, 0, 2, 0, 4 };
	static const char acl[] =
		"\2\0\0\0\1\0\6\0\377\377\377\377\2\0\4\0\350\3\0\0\4\0\4\0\377\377"
		"\377\377\20\0\4\0\377\377\377\377\40\0\4\0\377\377\377\377";
	const struct timespec times[] = { { chance(1u << 30), chance(1000000000) },
					  { chance(1u << 30), chance(1000000000) } };

	if (type != S_IFLNK && chance(3) == 0)
		mark_text(dir, name, "user.wild", names[chance(8)]);
	if (chance(6) == 0)
		mark_text(dir, name, "trusted.wild", "");
	if (chance(12) == 0)
		mark_overlay(dir, name, "overlay.opaque", "y");
	if (chance(12) == 0)
		mark_overlay(dir, name, "origin", "nothing");
	if (type == S_IFREG && chance(12) == 0)
		mark(dir, name, "security.capability", capability, sizeof(capability));
	if ((type == S_IFREG || type == S_IFDIR) && chance(8) == 0)
		mark(dir, name, "system.posix_acl_access", acl, sizeof(acl) - 1);
	if (type == S_IFDIR && chance(12) == 0)
		mark(dir, name, "system.posix_acl_default", acl, sizeof(acl) - 1);
	if (chance(3) == 0)
		must(fchownat(dir, name, chance(3000), chance(3000), AT_SYMLINK_NOFOLLOW),
		     "chown");
	if (type != S_IFLNK)
		must(fchmodat(dir, name, chance(4) ? 0755 : chance(07777 + 1), 0),
		     "chmod");
	must(utimensat(dir, name, times, AT_SYMLINK_NOFOLLOW), "utimensat");
}

static void make_file(int dir, const char *name) {
	int fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	unsigned n = chance(4);
	char text[3000];

	must(fd, "open");
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (char)chance(256);
	for (unsigned i = 0; i < n; i++)
		must((int)pwrite(fd, text, chance(sizeof(text)),
				 (off_t)chance(3) * (off_t)chance(100000)),
		     "write");
	close(fd);
	if (n > 0 && chance(25) == 0)
		mark_overlay(dir, name, "metacopy", "");
}

static void make_whiteout_file(int dir, const char *name) {
	int fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

	must(fd, "open");
	close(fd);
	mark_overlay(dir, name, "whiteout", "");
}

struct layer {
	int root;
	char linkable[1024]; /* the path of a file that gets hard links */
};

static void fill(struct layer *l, int dir, unsigned depth, const char *path);

static void make_directory(struct layer *l, int dir, const char *name, unsigned depth,
			   const char *path) {
	char below[512];
	int fd;

	must(mkdirat(dir, name, 0755), "mkdir");
	fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	must(fd, "open");
	snprintf(below, sizeof(below), "%.200s%.255s/", path, name);
	if (depth < DEPTH && strlen(path) < 200)
		fill(l, fd, depth + 1, below);
	if (chance(6) == 0) {
		mark_overlay(dir, name, "opaque", "x");
		if (faccessat(fd, "hidden", F_OK, 0) < 0)
			make_whiteout_file(fd, names[0][0] == 'a' && chance(2)
						       ? "hidden"
						       : "hidden2");
	} else if (chance(6) == 0) {
		mark_overlay(dir, name, "opaque", chance(8) ? "y" : "yes");
	}
	if (chance(25) == 0)
		mark_overlay(dir, name, "redirect", "b");
	close(fd);
}

static void make_link(struct layer *l, int dir, const char *name) {
	if (!l->linkable[0] || linkat(l->root, l->linkable, dir, name, 0) < 0)
		make_file(dir, name);
}

static void make_one(struct layer *l, int dir, const char *name, unsigned depth,
		     const char *path) {
	mode_t type = S_IFREG;

	switch (chance(20)) {
	case 0 ... 7:
		make_directory(l, dir, name, depth, path);
		type = S_IFDIR;
		break;
	case 8:
	case 9:
		must(mknodat(dir, name, S_IFCHR | 0600, makedev(0, 0)), "mknod");
		return;
	case 10:
		must(mknodat(dir, name, S_IFCHR | 0600, makedev(1, 3)), "mknod");
		type = S_IFCHR;
		break;
	case 11:
		must(mknodat(dir, name, chance(2) ? S_IFIFO : S_IFSOCK, 0), "mknod");
		type = S_IFIFO;
		break;
	case 12:
		must(symlinkat(names[chance(ARRAY_SIZE(names))], dir, name), "symlink");
		type = S_IFLNK;
		break;
	case 13:
		make_link(l, dir, name);
		return;
	case 14:
		make_whiteout_file(dir, name);
		return;
	default:
		make_file(dir, name);
		snprintf(l->linkable, sizeof(l->linkable), "%s%s", path, name);
	}
	decorate(dir, name, type);
}

static void fill(struct layer *l, int dir, unsigned depth, const char *path) {
	unsigned n = NAMES_MIN + chance(NAMES_MORE) / depth;

	for (unsigned i = 0; i < n; i++) {
		const char *name = names[chance(ARRAY_SIZE(names))];

		if (faccessat(dir, name, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
			make_one(l, dir, name, depth, path);
	}
}

/* A path that is longer than any call takes. */
static void make_deep(int dir) {
	int fd = dup(dir);

	for (unsigned i = 0; i < DEEP; i++) {
		char name[80];
		int next;

		snprintf(name, sizeof(name), "%060u", i);
		if (mkdirat(fd, name, 0755) < 0 && errno != EEXIST)
			must(-1, "mkdir");
		next = openat(fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		must(next, "open");
		close(fd);
		fd = next;
	}
	make_file(fd, "bottom");
	close(fd);
}

static void make_big(int dir, unsigned from) {
	int fd;

	must(mkdirat(dir, "big", 0755), "mkdir");
	fd = openat(dir, "big", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	must(fd, "open");
	for (unsigned i = from; i < from + BIG; i++) {
		char name[32];

		snprintf(name, sizeof(name), "entry-%u", i);
		must(mknodat(fd, name, S_IFREG | 0644, 0), "mknod");
	}
	close(fd);
}

int main(int argc, char **argv) {
	unsigned n;
	int top;

	if (argc != 4 && argc != 5)
		return 2;
	if (argc == 5)
		space = argv[4];
	state = strtoull(argv[1], NULL, 10) * UINT64_C(0x9e3779b97f4a7c15) + 1;
	n = (unsigned)atoi(argv[2]);
	top = open(argv[3], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	must(top, argv[3]);
	umask(0);
	for (unsigned i = 0; i < n; i++) {
		struct layer l = { .linkable = "" };
		char number[16];

		snprintf(number, sizeof(number), "%u", i);
		l.root = openat(top, number, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		must(l.root, number);
		fill(&l, l.root, 1, "");
		if (i < 2 || i == n - 1)
			make_deep(l.root);
		if (i < 2)
			make_big(l.root, i * BIG / 2);
		close(l.root);
	}
	return 0;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The bare system calls of a merge, and nothing else: nothing is searched, matched, ordered, compared,
 * recorded or checked. What extmerge needs is measured against it.
 *
 *     bare [--look] HIERARCHY EXTENSION...     merges, e.g. bare /root/usr one.raw two.erofs three/
 *     bare [--look] --repeat N HIERARCHY ...   N times, unmerging each time; prints the microseconds of each merge
 *
 * With --look it also looks at what it merges, as a merge that keeps its promises must: the release file
 * is read, and of every entry of every layer the status and the names of the extended attributes, with as few
 * system calls as that can be done with; and the mount table, once, as what the host has mounted below must stay.
 * Nothing is done with what was read.
 *
 * erofs is mounted straight from its file, squashfs through a loop device; a directory is opened.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <linux/mount.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

/* glibc 2.36 and linux/mount.h disagree about who declares these; the numbers are the same everywhere. */
static int do_fsopen(const char *type) {
	return (int)syscall(SYS_fsopen, type, FSOPEN_CLOEXEC);
}

static int do_fsconfig(int fd, unsigned command, const char *key, const char *value,
		       int aux) {
	return (int)syscall(SYS_fsconfig, fd, command, key, value, aux);
}

static int do_fsmount(int fd, unsigned attributes) {
	return (int)syscall(SYS_fsmount, fd, FSMOUNT_CLOEXEC, attributes);
}

static int must(int r, const char *what) {
	if (r >= 0)
		return r;
	perror(what);
	exit(1);
}

static int mount_image(const char *type, const char *source) {
	int fd = must(do_fsopen(type), "fsopen"), tree;

	must(do_fsconfig(fd, FSCONFIG_SET_STRING, "source", source, 0), source);
	must(do_fsconfig(fd, FSCONFIG_SET_FLAG, "ro", NULL, 0), "ro");
	must(do_fsconfig(fd, FSCONFIG_CMD_CREATE, NULL, NULL, 0), source);
	tree = must(do_fsmount(fd, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV), "fsmount");
	close(fd);
	return tree;
}

static int mount_through_loop(const char *type, int image) {
	struct loop_config config = {
		.fd = (unsigned)image,
		.info = { .lo_flags = LO_FLAGS_READ_ONLY | LO_FLAGS_AUTOCLEAR },
	};
	int control = must(open("/dev/loop-control", O_RDWR | O_CLOEXEC), "loop-control"),
	    loop, tree;
	char path[32];

	for (;;) {
		snprintf(path, sizeof(path), "/dev/loop%d",
			 must(ioctl(control, LOOP_CTL_GET_FREE), "LOOP_CTL_GET_FREE"));
		loop = must(open(path, O_RDONLY | O_CLOEXEC), path);
		if (ioctl(loop, LOOP_CONFIGURE, &config) == 0)
			break;
		if (errno != EBUSY)
			must(-1, "LOOP_CONFIGURE");
		close(loop);
	}
	tree = mount_image(type, path);
	close(loop);
	close(control);
	return tree;
}

/* The tree of the extension. It must stay open until the overlay holds it: a detached mount lives by its fd. */
static int open_tree_of(const char *extension) {
	int fd = must(open(extension, O_RDONLY | O_CLOEXEC), extension), tree;
	struct stat st;
	char magic[4];

	must(fstat(fd, &st), extension);
	if (!S_ISREG(st.st_mode))
		return fd;
	must(pread(fd, magic, 4, 0) == 4 ? 0 : -1, extension);
	tree = memcmp(magic, "hsqs", 4) == 0 ? mount_through_loop("squashfs", fd)
					     : mount_image("erofs", extension);
	close(fd);
	return tree;
}

/* Linux 6.13; before that there is no way to do it with one call for each file. */
#ifndef SYS_listxattrat
#define SYS_listxattrat 465
#endif

struct entry {
	unsigned long long inode, next;
	unsigned short size;
	unsigned char type;
	char name[];
};

static void look_below(int parent, const char *name);

static void look_at(int directory, const struct entry *e) {
	char names[1024];
	struct stat st;

	if (strcmp(e->name, ".") == 0 || strcmp(e->name, "..") == 0)
		return;
	if (e->type == DT_DIR) {
		look_below(directory, e->name);
		return;
	}
	must(fstatat(directory, e->name, &st, AT_SYMLINK_NOFOLLOW), e->name);
	(void)syscall(SYS_listxattrat, directory, e->name, AT_SYMLINK_NOFOLLOW, names,
		      sizeof(names));
}

static void look_below(int parent, const char *name) {
	_Alignas(struct entry) char buffer[16384];
	int fd = must(openat(parent, name,
			     O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC),
		      name);
	struct stat st;
	long n;

	must(fstat(fd, &st), name);
	(void)flistxattr(fd, buffer, sizeof(buffer));
	while ((n = syscall(SYS_getdents64, fd, buffer, sizeof(buffer))) > 0)
		for (long at = 0; at < n;) {
			const struct entry *e = (const struct entry *)(buffer + at);

			look_at(fd, e);
			at += e->size;
		}
	must((int)n, name);
	close(fd);
}

/* The release file of x01.raw or x01 is extension-release.x01. */
static void look(int tree, const char *hierarchy, const char *extension) {
	const char *name = strrchr(extension, '/') + 1;
	char path[512], text[4096];
	int fd;

	snprintf(path, sizeof(path), "usr/lib/extension-release.d/extension-release.%.*s",
		 (int)strcspn(name, "."), name);
	fd = must(openat(tree, path, O_RDONLY | O_CLOEXEC), path);
	must((int)read(fd, text, sizeof(text)), path);
	close(fd);
	look_below(tree, hierarchy);
}

static void look_at_mounts(void) {
	char text[4096];
	int fd = must(open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC), "mountinfo");

	while (must((int)read(fd, text, sizeof(text)), "mountinfo") > 0)
		;
	close(fd);
}

static void merge(const char *hierarchy, char **extensions, int n, bool is_looking) {
	const char *name = strrchr(hierarchy, '/') + 1;
	int fd = must(do_fsopen("overlay"), "fsopen"), trees[500], tree, base;

	if (is_looking)
		look_at_mounts();
	must(do_fsconfig(fd, FSCONFIG_SET_STRING, "source", "bare", 0), "source");
	for (int i = n - 1; i >= 0; i--) {
		int layer;

		trees[i] = open_tree_of(extensions[i]);
		layer = must(openat(trees[i], name, O_PATH | O_DIRECTORY | O_CLOEXEC),
			     name);
		must(do_fsconfig(fd, FSCONFIG_SET_FD, "lowerdir+", NULL, layer),
		     "lowerdir+");
		close(layer);
		if (is_looking)
			look(trees[i], name, extensions[i]);
	}
	base = must(open(hierarchy, O_PATH | O_DIRECTORY | O_CLOEXEC), hierarchy);
	must(do_fsconfig(fd, FSCONFIG_SET_FD, "lowerdir+", NULL, base), "lowerdir+");
	must(do_fsconfig(fd, FSCONFIG_SET_FLAG, "ro", NULL, 0), "ro");
	must(do_fsconfig(fd, FSCONFIG_CMD_CREATE, NULL, NULL, 0), "overlay");
	tree = must(do_fsmount(fd, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV), "fsmount");
	must((int)syscall(SYS_move_mount, tree, "", AT_FDCWD, hierarchy,
			  MOVE_MOUNT_F_EMPTY_PATH),
	     "move_mount");
	for (int i = 0; i < n; i++)
		close(trees[i]);
	close(tree);
	close(base);
	close(fd);
}

static double now(void) {
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

int main(int argc, char **argv) {
	bool is_looking = argc > 1 && strcmp(argv[1], "--look") == 0;
	int repeat = 0;

	argv += is_looking;
	argc -= is_looking;
	if (argc > 2 && strcmp(argv[1], "--repeat") == 0) {
		repeat = atoi(argv[2]);
		argv += 2;
		argc -= 2;
	}
	if (argc < 3 || argc > 502 || !strchr(argv[1], '/')) {
		fputs("bare [--look] [--repeat N] HIERARCHY EXTENSION...\n", stderr);
		return 2;
	}
	if (repeat == 0)
		merge(argv[1], argv + 2, argc - 2, is_looking);
	for (; repeat > 0; repeat--) {
		double start = now();

		merge(argv[1], argv + 2, argc - 2, is_looking);
		printf("%.0f\n", now() - start);
		must(umount2(argv[1], MNT_DETACH), "umount");
	}
	return 0;
}

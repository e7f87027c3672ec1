/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Directories: making and removing them, what they list, and what is open of them. */
#include <dirent.h>

#include "posix.h"

/* How often a name is listed, or, of NULL, how many are, but for "." and "..". */
static int listed(DIR *d, const char *name) {
	int n = 0;
	struct dirent *e;

	rewinddir(d);
	while ((e = readdir(d)))
		n += name ? strcmp(e->d_name, name) == 0
			  : strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
	return n;
}

static int lists(const char *path, const char *name) {
	DIR *d = opendir(path);
	int n = d ? listed(d, name) : -1;

	if (d)
		closedir(d);
	return n;
}

static void make_directory(void) {
	CHECK(works(mkdir("gone", 0777)) && type_of("gone") == S_IFDIR);
	CHECK(mode_of("gone") == 0755 && lists("gone", NULL) == 0);
	CHECK(works(mkdir("gonedir", 01777)) && mode_of("gonedir") == 01755);
	CHECK(lists("gonedir", NULL) == 0 && !is_there("gonedir/in"));
	CHECK(works(mkdir("gone/a", 0700)) && works(mkdir("gone/a/b", 0700)));
	CHECK(works(mkdir("full/sub/new", 0755)));
	CHECK(works(mkdir("todir/new", 0755)) && is_there("full/new"));
	CHECK(fails(mkdir("file", 0755), EEXIST));
	CHECK(fails(mkdir("dir", 0755), EEXIST));
	CHECK(fails(mkdir("dangling", 0755), EEXIST));
	CHECK(fails(mkdir("fifo", 0755), EEXIST));
	CHECK(fails(mkdir(".", 0755), EEXIST));
	CHECK(fails(mkdir("..", 0755), EEXIST));
	CHECK(fails(mkdir("nothing/new", 0755), ENOENT));
	CHECK(fails(mkdir("file/new", 0755), ENOTDIR));
	CHECK(fails(mkdir("", 0755), ENOENT));
	CHECK(works(mkdir("new/", 0755)));
	CHECK(CHANGES(mkdir("dir/new", 0755), "dir", "mc"));
}

static void remove_directory(void) {
	CHECK(fails(rmdir("full"), ENOTEMPTY));
	CHECK(fails(rmdir("full/sub"), ENOTEMPTY));
	CHECK(fails(rmdir("file"), ENOTDIR));
	CHECK(fails(rmdir("symlink"), ENOTDIR));
	CHECK(fails(rmdir("todir"), ENOTDIR));
	CHECK(fails(rmdir("fifo"), ENOTDIR));
	CHECK(fails(rmdir("gone"), ENOENT));
	CHECK(fails(rmdir("gonedir"), ENOENT));
	CHECK(fails(rmdir("dir/."), EINVAL));
	CHECK(fails(rmdir("full/sub/.."), ENOTEMPTY));
	CHECK(fails(rmdir("file/x"), ENOTDIR));
	CHECK(works(rmdir("dir")) && !is_there("dir") && fails(rmdir("dir"), ENOENT));
	CHECK(works(mkdir("dir", 0700)) && mode_of("dir") == 0700);
	CHECK(works(unlink("full/sub/deep")));
	CHECK(CHANGES(rmdir("full/sub"), "full", "mc"));
	CHECK(works(unlink("full/in")) && lists("full", "in") == 0);
	unlink("full/too");
	CHECK(lists("full", NULL) == 0 && works(rmdir("full")) && !is_there("full"));
	CHECK(fails(opened("todir", O_RDONLY), ENOENT));
	CHECK(works(mkdir("full", 0755)) && lists("full", NULL) == 0);
	CHECK(works(put("full/in", "new")) && holds("todir/in", "new"));
}

static void list_directory(void) {
	CHECK(lists("full", "in") == 1 && lists("full", "sub") == 1);
	CHECK(lists("full", ".") == 1 && lists("full", "..") == 1);
	CHECK(lists(".", "file") == 1 && lists(".", "loop") == 1);
	CHECK(lists(".", "gone") == 0 && lists(".", "gonedir") == 0);
	CHECK(works(put("gone", "x")) && lists(".", "gone") == 1);
	CHECK(works(rename("gone", "file")) && lists(".", "gone") == 0);
	CHECK(lists(".", "file") == 1);
	CHECK(works(unlink("file")) && lists(".", "file") == 0);
	CHECK(works(put("file", "x")) && lists(".", "file") == 1);
	CHECK(works(chmod("other", 0600)) && lists(".", "other") == 1);
	CHECK(works(link("other", "full/other")) && lists("full", "other") == 1);
	CHECK(lists("file", NULL) == -1 && errno == ENOTDIR);
	CHECK(lists("gonedir", NULL) == -1 && errno == ENOENT);
}

/* The numbers and types of a listing are those of stat. */
static void list_numbers(void) {
	DIR *d = opendir(".");
	unsigned wrong_numbers = 0, wrong_types = 0, n = 0;
	struct dirent *e;

	CHECK(works(chmod("file", 0600)) && works(chmod("full/in", 0600)));
	while (d && (e = readdir(d))) {
		n++;
		wrong_numbers += strcmp(e->d_name, "..") != 0 &&
				 status(e->d_name).st_ino != e->d_ino;
		wrong_types += type_of(e->d_name) != (mode_t)DTTOIF(e->d_type);
	}
	CHECK(n > 20);
	CHECK(wrong_numbers == 0);
	CHECK(wrong_types == 0);
}

static void fill(const char *directory, int n) {
	char path[100];

	for (int i = 0; i < n; i++) {
		snprintf(path, sizeof(path), "%s/a-name-%d", directory, i);
		put(path, "");
	}
}

/* Positions can be gone back to, with all that is behind them. */
static void seek_directory(void) {
	long positions[200];
	char names[200][sizeof(((struct dirent *)NULL)->d_name)];
	unsigned n = 0, wrong = 0;
	struct dirent *e;
	DIR *d;

	fill("full", 150);
	d = opendir("full");
	for (; d && n < 200; n++) {
		positions[n] = telldir(d);
		e = readdir(d);
		if (!e)
			break;
		snprintf(names[n], sizeof(names[n]), "%s", e->d_name);
	}
	CHECK(n >= 154);
	for (unsigned i = n; i-- > 0;) {
		seekdir(d, positions[i]);
		e = readdir(d);
		wrong += !e || strcmp(e->d_name, names[i]) != 0;
	}
	CHECK(wrong == 0);
	seekdir(d, positions[n / 2]);
	for (n -= n / 2; (e = readdir(d)); n--)
		;
	CHECK(n == 0);
	rewinddir(d);
	e = readdir(d);
	CHECK(e && strcmp(e->d_name, names[0]) == 0);
}

/* What is there all the time is listed once, whatever comes and goes meanwhile. */
static void list_while_changed(void) {
	unsigned kept = 0, n = 0, odd;
	struct dirent *e;
	char path[300];
	DIR *d;

	fill("dir", 400);
	d = opendir("dir");
	while (d && (e = readdir(d))) {
		if (sscanf(e->d_name, "a-name-%u", &odd) != 1)
			continue;
		kept += odd % 2;
		snprintf(path, sizeof(path), "dir/new-%u", n++);
		put(path, "");
		snprintf(path, sizeof(path), "dir/a-name-%u", odd & ~1u);
		unlink(path);
	}
	CHECK(kept == 200);
	CHECK(n >= 200 && lists("dir", NULL) == (int)(200 + n));
	rewinddir(d);
	CHECK(listed(d, "new-0") == 1);
}

static void open_twice(void) {
	DIR *d = opendir("full"), *again = opendir("full");

	CHECK(listed(d, "in") == 1);
	CHECK(works(put("full/new", "x")) && works(unlink("full/in")));
	CHECK(listed(d, "in") == 0 && listed(d, "new") == 1);
	CHECK(listed(again, "in") == 0 && listed(again, "new") == 1);
	CHECK(listed(d, NULL) == listed(again, NULL));
}

static void removed_open(void) {
	int fd = opened("dir", O_RDONLY | O_DIRECTORY);
	DIR *d = opendir("dir2");
	struct stat st;

	CHECK(works(chdir("dir")) && works(rmdir("../dir")));
	CHECK(fails(openat(fd, "new", O_WRONLY | O_CREAT | O_CLOEXEC, 0644), ENOENT));
	CHECK(fails(mkdirat(fd, "new", 0755), ENOENT));
	CHECK(fails(symlinkat("x", fd, "new"), ENOENT));
	CHECK(fails(opened("new", O_WRONLY | O_CREAT), ENOENT));
	CHECK(fails(opened("file", O_RDONLY), ENOENT));
	CHECK(works(fstat(fd, &st)) && S_ISDIR(st.st_mode) && st.st_nlink == 0);
	CHECK(works(fchdir(fd)) && works(chdir("..")));
	CHECK(is_there("file"));
	CHECK(works(rmdir("dir2")) && listed(d, NULL) == 0);
	CHECK(works(mkdir("dir", 0755)) && works(put("dir/x", "x")));
	CHECK(fails(fstatat(fd, "x", &st, 0), ENOENT));
}

static void directory_fds(void) {
	int fd = opened("full", O_RDONLY | O_DIRECTORY), path = opened("full", O_PATH);
	struct stat st;

	CHECK(works(fstatat(fd, "in", &st, 0)) && works(fstatat(path, "in", &st, 0)));
	CHECK(works(openat(path, "new", O_WRONLY | O_CREAT | O_CLOEXEC, 0644)));
	CHECK(works(renameat(fd, "new", path, "new2")) && is_there("full/new2"));
	CHECK(works(unlinkat(fd, "new2", 0)) && !is_there("full/new2"));
	CHECK(works(fchmod(fd, 0711)) && mode_of("full") == 0711);
	CHECK(works(fchown(fd, 5, 6)) && status("full").st_uid == 5);
	CHECK(works(futimens(fd, (struct timespec[]){ { 1, 2 }, { 3, 4 } })));
	CHECK(status("full").st_mtim.tv_sec == 3 && status("full").st_mtim.tv_nsec == 4);
	CHECK(works(fsync(fd)) && works(fdatasync(fd)));
	CHECK(fails(ftruncate(fd, 0), EINVAL));
	CHECK(fails(lseek(path, 0, SEEK_SET), EBADF));
	CHECK(works(mkdirat(fd, "more", 0755)) &&
	      works(unlinkat(fd, "more", AT_REMOVEDIR)));
	CHECK(works(fchdir(fd)) && is_there("in") && works(fchdir(path)));
}

/* So deep that no path reaches the end at once. */
static void deep(void) {
	char name[201];
	int n = 0, up;

	memset(name, 'd', 200);
	name[200] = '\0';
	while (n < 30 && works(mkdir(name, 0755)) && works(chdir(name)))
		n++;
	CHECK(n == 30);
	CHECK(works(put("file", "deep")) && holds("file", "deep"));
	CHECK(works(rename("file", "other")) && lists(".", "other") == 1);
	CHECK(works(unlink("other")) && works(mkdir("dir", 0755)) && works(rmdir("dir")));
	for (up = 0; up < n && works(chdir("..")) && works(rmdir(name)); up++)
		;
	CHECK(up == n && holds("file", "0123456789"));
}

const struct posix_case posix_directories[] = {
	{ "make-directory", make_directory },
	{ "remove-directory", remove_directory },
	{ "list-directory", list_directory },
	{ "list-numbers", list_numbers },
	{ "seek-directory", seek_directory },
	{ "list-while-changed", list_while_changed },
	{ "open-twice", open_twice },
	{ "removed-open", removed_open },
	{ "directory-fds", directory_fds },
	{ "deep", deep },
	{ NULL, NULL },
};

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* rename(2) and renameat2(2). */
#include <sys/syscall.h>

#include "posix.h"

#define EXCLUSIVE 1 /* RENAME_NOREPLACE, RENAME_EXCHANGE, RENAME_WHITEOUT of linux/fs.h */
#define SWAP 2
#define WHITEOUT 4

static int rename2(const char *from, const char *to, unsigned flags) {
	return (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, flags);
}

static void rename_file(void) {
	const struct stat was = status("file");

	CHECK(works(rename("file", "gone")));
	CHECK(!is_there("file") && holds("gone", "0123456789"));
	CHECK(status("gone").st_ino == was.st_ino);
	CHECK(status("gone").st_mtim.tv_nsec == was.st_mtim.tv_nsec);
	CHECK(works(rename("gone", "other")) && holds("other", "0123456789"));
	CHECK(!is_there("gone"));
	CHECK(works(rename("other", "full/sub/new")) && !is_there("other"));
	CHECK(works(rename("full/sub/new", "file")) && holds("file", "0123456789"));
	CHECK(works(rename("file", "file")) && holds("file", "0123456789"));
	CHECK(works(put("other", "anew")) && holds("other", "anew"));
	CHECK(works(rename("below", "full/below")) && !is_there("below"));
	CHECK(works(put("below", "x")) && works(rename("full/below", "below")));
	CHECK(holds("below", "below"));
}

static void rename_refused(void) {
	CHECK(fails(rename("gone", "new"), ENOENT));
	CHECK(fails(rename("file", "nothing/new"), ENOENT));
	CHECK(fails(rename("file", "other/new"), ENOTDIR));
	CHECK(fails(rename("file/x", "new"), ENOTDIR));
	CHECK(fails(rename("file", "dir"), EISDIR));
	CHECK(fails(rename("file", "full"), EISDIR));
	CHECK(fails(rename("file", "new/"), ENOTDIR));
	CHECK(fails(rename("file", "/proc/new"), EXDEV));
	CHECK(fails(rename("dir/.", "new"), EBUSY));
	CHECK(fails(rename("dir/..", "new"), EBUSY));
	CHECK(fails(rename("file", "dir/."), EBUSY));
	CHECK(fails(rename("file", ""), ENOENT));
	CHECK(fails(rename("full", "full/sub/new"), EINVAL));
	CHECK(fails(rename("full/sub", "full"), ENOTEMPTY));
	CHECK(is_there("file") && is_there("full/sub"));
}

static void rename_special(void) {
	CHECK(works(rename("fifo", "gone")) && type_of("gone") == S_IFIFO);
	CHECK(works(rename("symlink", "file")) && type_of("file") == S_IFLNK);
	CHECK(works(rename("null", "new")) && type_of("new") == S_IFCHR);
	CHECK(works(rename("socket", "other")) && type_of("other") == S_IFSOCK);
	CHECK(works(rename("dangling", "loop")) && type_of("loop") == S_IFLNK);
	CHECK(!is_there("dangling") && !is_there("null") && !is_there("fifo"));
}

/* Two names of one file: nothing happens. */
static void rename_links(void) {
	CHECK(works(link("file", "gone")) && works(rename("file", "gone")));
	CHECK(is_there("file") && is_there("gone") && links_of("file") == 2);
	CHECK(works(rename("gone", "other")) && same_file("file", "other"));
	CHECK(!is_there("gone") && links_of("file") == 2);
	CHECK(works(put("file", "x")) && works(rename("file", "other")));
	CHECK(works(rename("name1", "new")) && holds("new", "names"));
	CHECK(works(rename("new", "file")) && !is_there("new"));
}

static void rename_new_directory(void) {
	CHECK(works(mkdir("new", 0755)) && works(put("new/a", "a")));
	CHECK(works(mkdir("new/b", 0755)) && works(put("new/b/c", "c")));
	CHECK(works(rename("new", "gonedir")) && !is_there("new"));
	CHECK(holds("gonedir/a", "a") && holds("gonedir/b/c", "c"));
	CHECK(!is_there("gonedir/in"));
	CHECK(works(rename("gonedir", "full/sub/moved")));
	CHECK(holds("full/sub/moved/b/c", "c"));
	CHECK(works(rename("full/sub/moved", "dir")) && holds("dir/a", "a"));
	CHECK(fails(rename("dir", "file"), ENOTDIR));
	CHECK(fails(rename("dir", "full"), ENOTEMPTY));
	CHECK(works(mkdir("new", 0755)) && works(rename("new", "dir2")));
	CHECK(works(rename("dir2", "dir2")));
	CHECK(fails(rename("dir", "dir/b/new"), EINVAL));
	CHECK(works(mkdir("gonedir", 0755)) && works(rename("dir/b", "gonedir")));
	CHECK(holds("gonedir/c", "c") && !is_there("gonedir/in"));
}

/* Of a directory that was there before a layer may have a part. */
static void rename_old_directory(void) {
	CHECK(works(rename("dir", "gonedir")));
	CHECK(works(rename("full", "new")));
	CHECK(works(rename("owned", "dir2")));
	CHECK(is_there("full/in") || is_there("new/in"));
	CHECK(is_there("owned/in") || is_there("dir2/in"));
}

static void rename_over_directory(void) {
	CHECK(works(mkdir("new", 0711)) && works(put("new/x", "x")));
	CHECK(works(rename("new", "dir")) && holds("dir/x", "x"));
	CHECK(mode_of("dir") == 0711 && !is_there("new"));
	CHECK(works(unlink("full/in")) && works(unlink("full/sub/deep")));
	CHECK(works(rmdir("full/sub")));
	unlink("full/too");
	CHECK(works(mkdir("new", 0711)) && works(put("new/y", "y")));
	CHECK(works(rename("new", "full")) && holds("full/y", "y"));
	CHECK(!is_there("full/in") && !is_there("full/sub"));
	CHECK(works(put("full/in", "again")) && holds("full/in", "again"));
}

static void rename_exclusive(void) {
	CHECK(fails(rename2("file", "other", EXCLUSIVE), EEXIST));
	CHECK(fails(rename2("file", "dir", EXCLUSIVE), EEXIST));
	CHECK(fails(rename2("file", "dangling", EXCLUSIVE), EEXIST));
	CHECK(fails(rename2("file", "file", EXCLUSIVE), EEXIST));
	CHECK(works(rename2("file", "gone", EXCLUSIVE)) && holds("gone", "0123456789"));
	CHECK(works(mkdir("new", 0755)) && works(rename2("new", "gonedir", EXCLUSIVE)));
	CHECK(fails(rename2("gonedir", "dir", EXCLUSIVE), EEXIST));
	CHECK(!is_there("gonedir/in"));
	CHECK(fails(rename2("file", "new", EXCLUSIVE), ENOENT));
	CHECK(fails(rename2("gone", "new", EXCLUSIVE | SWAP), EINVAL));
	CHECK(fails(rename2("gone", "new", 64), EINVAL));
}

static void rename_swap(void) {
	CHECK(works(rename2("file", "other", SWAP)));
	CHECK(holds("file", "other") && holds("other", "0123456789"));
	CHECK(fails(rename2("file", "gone", SWAP), ENOENT));
	CHECK(fails(rename2("gone", "file", SWAP), ENOENT));
	CHECK(works(rename2("file", "symlink", SWAP)) && type_of("file") == S_IFLNK);
	CHECK(holds("symlink", "other"));
	CHECK(works(rename2("fifo", "full/in", SWAP)) && holds("fifo", "in"));
	CHECK(type_of("full/in") == S_IFIFO);
	CHECK(works(mkdir("new", 0755)) && works(put("new/x", "x")));
	CHECK(works(rename2("new", "other", SWAP)) && holds("other/x", "x"));
	CHECK(holds("new", "0123456789"));
	CHECK(works(mkdir("new2", 0755)) && works(rename2("new2", "other", SWAP)));
	CHECK(holds("new2/x", "x") && !is_there("other/x"));
	CHECK(fails(rename2("new2", "new2/x", SWAP), EINVAL));
	CHECK(works(rename2("new2", "new2", SWAP)));
	CHECK(works(unlink("new")) && works(rename2("mine", "tagged", SWAP)));
	CHECK(holds("mine", "tagged") && holds("tagged", "mine"));
}

static void rename_whiteout(void) {
	CHECK(works(rename2("file", "gone", WHITEOUT)));
	CHECK(works(rename2("other", "new", WHITEOUT | EXCLUSIVE)));
	CHECK(fails(rename2("other", "tagged", WHITEOUT | SWAP), EINVAL));
	as(OWNER, OWNER);
	CHECK(fails(rename2("mine", "new2", WHITEOUT), EPERM));
	CHECK(is_there("mine"));
}

static void rename_times(void) {
	CHECK(CHANGES(rename("file", "gone"), "dir", ""));
	CHECK(CHANGES(rename("full/in", "dir/in"), "dir", "mc"));
	CHECK(CHANGES(rename("dir/in", "full/in"), "dir", "mc"));
	CHECK(CHANGES(rename("full/in", "full/new"), "full", "mc"));
	CHECK(CHANGES(rename2("full/new", "dir/new", EXCLUSIVE), "full", "mc"));
}

/* What is open, or the working directory, goes along. */
static void rename_open(void) {
	int fd, directory;
	char c;

	CHECK(works(mkdir("new", 0755)) && works(put("new/x", "x")));
	directory = opened("new", O_RDONLY | O_DIRECTORY);
	fd = opened("new/x", O_RDWR);
	CHECK(works(chdir("new")) && works(rename("../new", "../gonedir")));
	CHECK(works(fstatat(directory, "x", &(struct stat){ 0 }, 0)));
	CHECK(pwrite(fd, "y", 1, 0) == 1 && holds("x", "y"));
	CHECK(works(mkdirat(directory, "sub", 0755)) && is_there("../gonedir/sub"));
	CHECK(is_there("../file") && pread(fd, &c, 1, 0) == 1 && c == 'y');
	CHECK(works(renameat(directory, "x", AT_FDCWD, "../moved")));
	CHECK(pread(fd, &c, 1, 0) == 1 && !is_there("x") && holds("../moved", "y"));
}

const struct posix_case posix_renaming[] = {
	{ "rename-file", rename_file },
	{ "rename-refused", rename_refused },
	{ "rename-special", rename_special },
	{ "rename-links", rename_links },
	{ "rename-new-directory", rename_new_directory },
	{ "rename-old-directory", rename_old_directory },
	{ "rename-over-directory", rename_over_directory },
	{ "rename-exclusive", rename_exclusive },
	{ "rename-swap", rename_swap },
	{ "rename-whiteout", rename_whiteout },
	{ "rename-times", rename_times },
	{ "rename-open", rename_open },
	{ NULL, NULL },
};

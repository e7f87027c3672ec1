/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Links, symlinks, special files, and the end of names. */
#include <sys/sysmacros.h>

#include "posix.h"

static void link_file(void) {
	CHECK(works(link("file", "gone")));
	CHECK(links_of("file") == 2 && same_file("file", "gone"));
	CHECK(works(put("gone", "both")) && holds("file", "both"));
	CHECK(works(chmod("file", 0600)) && mode_of("gone") == 0600);
	CHECK(works(link("gone", "full/sub/third")) && links_of("file") == 3);
	CHECK(works(unlink("file")) && links_of("gone") == 2);
	CHECK(works(link("gone", "file")) && links_of("gone") == 3);
	CHECK(works(unlink("gone")) && works(unlink("full/sub/third")));
	CHECK(links_of("file") == 1 && holds("file", "both"));
	CHECK(CHANGES(link("other", "new"), "other", "c"));
	CHECK(CHANGES(link("other", "full/new"), "full", "mc"));
	CHECK(CHANGES(unlink("new"), "other", "c"));
}

static void link_refused(void) {
	CHECK(fails(link("file", "other"), EEXIST));
	CHECK(fails(link("file", "file"), EEXIST));
	CHECK(fails(link("file", "dir"), EEXIST));
	CHECK(fails(link("file", "dangling"), EEXIST));
	CHECK(fails(link("gone", "new"), ENOENT));
	CHECK(fails(link("file", "nothing/new"), ENOENT));
	CHECK(fails(link("file", "other/new"), ENOTDIR));
	CHECK(fails(link("file/x", "new"), ENOTDIR));
	CHECK(fails(link("dir", "new"), EPERM));
	CHECK(fails(link("file", "../../../new"), EXDEV));
	CHECK(links_of("file") == 1 && !is_there("new"));
}

static void link_special(void) {
	CHECK(works(link("fifo", "gone")) && type_of("gone") == S_IFIFO);
	CHECK(links_of("fifo") == 2 && same_file("fifo", "gone"));
	CHECK(works(link("null", "new")) && type_of("new") == S_IFCHR);
	CHECK(works(link("socket", "new2")) && type_of("new2") == S_IFSOCK);
	CHECK(works(linkat(AT_FDCWD, "symlink", AT_FDCWD, "new3", 0)));
	CHECK(type_of("new3") == S_IFLNK && links_of("symlink") == 2);
	CHECK(works(linkat(AT_FDCWD, "symlink", AT_FDCWD, "new4", AT_SYMLINK_FOLLOW)));
	CHECK(type_of("new4") == S_IFREG && same_file("file", "new4"));
	CHECK(works(linkat(AT_FDCWD, "dangling", AT_FDCWD, "new5", 0)));
	CHECK(fails(linkat(AT_FDCWD, "dangling", AT_FDCWD, "new6", AT_SYMLINK_FOLLOW),
		    ENOENT));
	CHECK(fails(linkat(AT_FDCWD, "file", AT_FDCWD, "new7", 0x40000000), EINVAL));
}

/* Two names that were there before. */
static void linked_before(void) {
	CHECK(links_of("name1") == 2 && same_file("name1", "name2"));
	CHECK(works(put("name1", "changed")) && holds("name1", "changed"));
	CHECK(holds("name2", "changed"));
	CHECK(works(link("name1", "gone")) && same_file("name1", "gone"));
	CHECK(works(unlink("name1")) && holds("gone", "changed"));
	CHECK(works(unlink("name2")) && !is_there("name2"));
	CHECK(links_of("gone") == 1);
}

static void symlinks(void) {
	char target[100] = "";

	CHECK(works(symlink("full/in", "gone")) && type_of("gone") == S_IFLNK);
	CHECK(holds("gone", "in"));
	CHECK(mode_of("gone") == 0777 && size_of("gone") == 7);
	CHECK(readlink("gone", target, sizeof(target)) == 7 &&
	      memcmp(target, "full/in", 7) == 0);
	CHECK(readlink("gone", target, 3) == 3);
	CHECK(readlink("symlink", target, sizeof(target)) == 4);
	CHECK(fails(readlink("file", target, sizeof(target)), EINVAL));
	CHECK(fails(readlink("dir", target, sizeof(target)), EINVAL));
	CHECK(fails(readlink("nothing", target, sizeof(target)), ENOENT));
	CHECK(fails(symlink("x", "file"), EEXIST));
	CHECK(fails(symlink("x", "dangling"), EEXIST));
	CHECK(fails(symlink("x", "gone"), EEXIST));
	CHECK(fails(symlink("", "new"), ENOENT));
	CHECK(fails(symlink("x", "nothing/new"), ENOENT));
	CHECK(fails(symlink("x", "file/new"), ENOTDIR));
	CHECK(CHANGES(symlink("x", "dir/new"), "dir", "mc"));
	CHECK(works(unlink("symlink")) && is_there("file") && !is_there("symlink"));
	CHECK(works(lchown("dangling", 5, 6)) && status("dangling").st_uid == 5);
	CHECK(works(utimensat(AT_FDCWD, "dangling",
			      (struct timespec[]){ { 1, 2 }, { 3, 4 } },
			      AT_SYMLINK_NOFOLLOW)));
	CHECK(status("dangling").st_mtim.tv_sec == 3);
	CHECK(fails(fchmodat(AT_FDCWD, "dangling", 0600, 0), ENOENT));
}

static void symlink_long(void) {
	char target[4096], got[4096];

	memset(target, 'x', sizeof(target));
	target[4095] = '\0';
	CHECK(works(symlink(target, "gone")) && size_of("gone") == 4095);
	CHECK(readlink("gone", got, sizeof(got)) == 4095);
	CHECK(memcmp(target, got, 4095) == 0);
	CHECK(works(rename("gone", "new")) && size_of("new") == 4095);
}

static void unlinking(void) {
	CHECK(CHANGES(unlink("full/in"), "full", "mc"));
	CHECK(!is_there("full/in"));
	CHECK(works(unlink("file")) && fails(unlink("file"), ENOENT));
	CHECK(works(unlink("fifo")) && works(unlink("socket")) && works(unlink("null")));
	CHECK(works(unlink("loop")) && works(unlink("dangling")));
	CHECK(fails(unlink("dir"), EISDIR));
	CHECK(fails(unlink("full"), EISDIR));
	CHECK(fails(unlink("gone"), ENOENT));
	CHECK(fails(unlink("gonedir/in"), ENOENT));
	CHECK(fails(unlink("other/x"), ENOTDIR));
	CHECK(fails(unlink("nothing/x"), ENOENT));
	CHECK(fails(unlink("todir/"), ENOTDIR));
	CHECK(fails(unlinkat(AT_FDCWD, "other", AT_REMOVEDIR), ENOTDIR));
	CHECK(fails(unlinkat(AT_FDCWD, "other", 1), EINVAL));
	CHECK(works(put("file", "anew")) && holds("file", "anew"));
	CHECK(works(unlink("file")) && works(mkdir("file", 0755)));
	CHECK(works(rmdir("file")) && works(symlink("other", "file")));
	CHECK(holds("file", "other") && works(unlink("file")));
	CHECK(works(unlink("below")) && works(put("below", "x")) && holds("below", "x"));
}

static void nodes(void) {
	CHECK(works(mknod("gone", S_IFREG | 0640, 0)) && type_of("gone") == S_IFREG);
	CHECK(size_of("gone") == 0 && mode_of("gone") == 0640);
	CHECK(works(mkfifo("new1", 0622)) && type_of("new1") == S_IFIFO);
	CHECK(mode_of("new1") == 0600);
	CHECK(works(mknod("new2", S_IFCHR | 0600, makedev(1, 5))));
	CHECK(type_of("new2") == S_IFCHR && status("new2").st_rdev == makedev(1, 5));
	CHECK(works(mknod("new3", S_IFBLK | 0600, makedev(240, 70000))));
	CHECK(status("new3").st_rdev == makedev(240, 70000));
	CHECK(works(mknod("new4", S_IFSOCK | 0600, 0)) && type_of("new4") == S_IFSOCK);
	CHECK(fails(mknod("new5", S_IFDIR | 0700, 0), EPERM));
	CHECK(fails(mknod("file", S_IFREG | 0600, 0), EEXIST));
	CHECK(fails(mknod("dangling", S_IFIFO | 0600, 0), EEXIST));
	CHECK(fails(mknod("nothing/new", S_IFIFO | 0600, 0), ENOENT));
	CHECK(works(mknod("new6", 0600, 0)) && type_of("new6") == S_IFREG);
	CHECK(status("null").st_rdev == makedev(1, 3));
	CHECK(works(chmod("null", 0600)) && status("null").st_rdev == makedev(1, 3));
	as(OWNER, OWNER);
	CHECK(fails(mknod("new7", S_IFCHR | 0600, makedev(1, 5)), EPERM));
	CHECK(fails(mknod("new8", S_IFBLK | 0600, makedev(1, 5)), EPERM));
	CHECK(works(mkfifo("new9", 0666)) && status("new9").st_uid == OWNER);
	CHECK(fails(mkfifo("fixed/new", 0666), EACCES));
}

/* What a pipe gets goes through it, wherever its node is. */
static void pipes(void) {
	int both = opened("fifo", O_RDWR | O_NONBLOCK);
	int out = opened("fifo", O_WRONLY | O_NONBLOCK);
	char c = 0;

	CHECK(works(both) && write(out, "x", 1) == 1);
	CHECK(read(both, &c, 1) == 1 && c == 'x');
	CHECK(works(chmod("fifo", 0600)));
	CHECK(write(out, "y", 1) == 1 && read(both, &c, 1) == 1 && c == 'y');
	close(both);
	CHECK(fails(opened("socket", O_RDONLY), ENXIO));
	CHECK(works(opened("null", O_RDWR)));
}

const struct posix_case posix_names[] = {
	{ "link-file", link_file },
	{ "link-refused", link_refused },
	{ "link-special", link_special },
	{ "linked-before", linked_before },
	{ "symlinks", symlinks },
	{ "symlink-long", symlink_long },
	{ "unlinking", unlinking },
	{ "nodes", nodes },
	{ "pipes", pipes },
	{ NULL, NULL },
};

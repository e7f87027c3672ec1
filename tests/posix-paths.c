/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Names and paths, and what is said of the file system. */
#include <sys/mount.h>
#include <sys/statvfs.h>

#include "posix.h"

static char long_name[257]; /* 256 bytes, one too many */

static void long_names(void) {
	static char path[5000];

	memset(long_name, 'n', 256);
	CHECK(fails(opened(long_name, O_RDONLY), ENAMETOOLONG));
	CHECK(fails(opened(long_name, O_WRONLY | O_CREAT), ENAMETOOLONG));
	CHECK(fails(mkdir(long_name, 0755), ENAMETOOLONG));
	CHECK(fails(rmdir(long_name), ENAMETOOLONG));
	CHECK(fails(unlink(long_name), ENAMETOOLONG));
	CHECK(fails(rename("file", long_name), ENAMETOOLONG));
	CHECK(fails(rename(long_name, "new"), ENAMETOOLONG));
	CHECK(fails(link("file", long_name), ENAMETOOLONG));
	CHECK(fails(symlink("x", long_name), ENAMETOOLONG));
	CHECK(fails(mkfifo(long_name, 0600), ENAMETOOLONG));
	CHECK(fails(truncate(long_name, 0), ENAMETOOLONG));
	CHECK(fails(chmod(long_name, 0600), ENAMETOOLONG));
	CHECK(fails(lstat(long_name, &(struct stat){ 0 }), ENAMETOOLONG));
	long_name[255] = '\0';
	CHECK(works(put(long_name, "long")) && holds(long_name, "long"));
	CHECK(works(rename(long_name, "new")) && works(rename("new", long_name)));
	CHECK(works(unlink(long_name)) && works(mkdir(long_name, 0755)));
	memset(path, '/', sizeof(path) - 1);
	CHECK(fails(opened(path, O_RDONLY), ENAMETOOLONG));
	memcpy(path + 4090, "file", 5);
	memset(path, '.', 1);
	CHECK(works(opened(path, O_RDONLY)));
	CHECK(fails(symlink(memset(path, 'x', 4096), "new"), ENAMETOOLONG));
}

static void loops(void) {
	CHECK(fails(opened("loop", O_RDONLY), ELOOP));
	CHECK(fails(opened("loop/x", O_RDONLY), ELOOP));
	CHECK(fails(chdir("loop"), ELOOP));
	CHECK(fails(truncate("loop", 0), ELOOP));
	CHECK(fails(chmod("loop", 0600), ELOOP));
	CHECK(fails(rename("loop/x", "new"), ELOOP));
	CHECK(fails(mkdir("loop/x", 0755), ELOOP));
	CHECK(works(symlink("b", "a")) && works(symlink("a", "b")));
	CHECK(fails(opened("a", O_RDONLY), ELOOP));
	CHECK(works(unlink("b")) && works(link("file", "b")) && holds("a", "0123456789"));
	CHECK(works(unlink("loop")) && works(symlink("file", "loop")));
	CHECK(holds("loop", "0123456789"));
}

static void odd_names(void) {
	static const char *const names[] = { "a\nb", "\xff\xfe", "...",	  " ",
					     "-",    "\\",	 ":",	  ",",
					     "\x01", "*",	 ".wh.x", ".wh..wh..opq",
					     "#1",   "work" };
	unsigned made = 0, seen = 0, removed = 0;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		made += works(put(names[i], names[i]));
		seen += holds(names[i], names[i]);
	}
	CHECK(made == ARRAY_SIZE(names) && seen == made);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		removed += works(rename(names[i], "gone")) && works(unlink("gone"));
	CHECK(removed == made);
	CHECK(is_there("./file") && is_there("full/../file") && is_there("full//in"));
	CHECK(is_there("todir/in") && is_there("todir/../file"));
	CHECK(fails(lstat("file/", &(struct stat){ 0 }), ENOTDIR));
	CHECK(fails(lstat("file/.", &(struct stat){ 0 }), ENOTDIR));
	CHECK(fails(lstat("dangling/", &(struct stat){ 0 }), ENOENT));
	CHECK(works(lstat("full/", &(struct stat){ 0 })));
	CHECK(!is_there("FILE") && !is_there("fil"));
}

/* A mount point stays where it is. */
static void mount_points(void) {
	CHECK(works(mount("none", "dir", "tmpfs", 0, NULL)));
	CHECK(fails(rmdir("dir"), EBUSY));
	CHECK(fails(rename("dir", "new"), EBUSY));
	CHECK(works(mkdir("new", 0755)) && fails(rename("new", "dir"), EBUSY));
	CHECK(fails(rename("file", "dir/new"), EXDEV));
	CHECK(fails(link("file", "dir/new"), EXDEV));
	CHECK(works(mount("other", "file", NULL, MS_BIND, NULL)));
	CHECK(holds("file", "other") && fails(unlink("file"), EBUSY));
	CHECK(fails(rename("file", "new2"), EBUSY));
	CHECK(fails(rename("empty", "file"), EBUSY));
	CHECK(works(umount("file")) && holds("file", "0123456789"));
	CHECK(works(umount("dir")) && works(rmdir("dir")));
}

static void file_system(void) {
	struct statvfs st, of_file;

	CHECK(works(statvfs(".", &st)) && works(statvfs("file", &of_file)));
	CHECK(st.f_bsize > 0 && st.f_blocks > 0 && st.f_namemax == 255);
	CHECK(st.f_blocks == of_file.f_blocks && !(st.f_flag & ST_RDONLY));
	CHECK(pathconf(".", _PC_NAME_MAX) == 255 && pathconf(".", _PC_PATH_MAX) == 4096);
	CHECK(works(syncfs(opened("dir", O_RDONLY))));
	CHECK(status("file").st_dev == status("dir").st_dev);
	CHECK(status("file").st_dev == status("full/sub/deep").st_dev);
}

static void numbers(void) {
	CHECK(status("file").st_ino != status("other").st_ino);
	CHECK(status("dir").st_ino != status("dir2").st_ino);
	CHECK(same_file("full/..", ".") && same_file("todir/sub/..", "full"));
	CHECK(same_file("file", "./file") && same_file("name1", "name1"));
}

const struct posix_case posix_paths[] = {
	{ "long-names", long_names },
	{ "loops", loops },
	{ "odd-names", odd_names },
	{ "mount-points", mount_points },
	{ "file-system", file_system },
	{ "numbers", numbers },
	{ NULL, NULL },
};

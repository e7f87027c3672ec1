/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Times: which calls change which, and setting them. */
#include <sys/xattr.h>

#include "posix.h"

static bool has_times(const char *path, time_t access, time_t modification) {
	struct stat st = status(path);

	return st.st_atim.tv_sec == access && st.st_mtim.tv_sec == modification;
}

static int set(const char *path, struct timespec a, struct timespec m) {
	return utimensat(AT_FDCWD, path, (struct timespec[]){ a, m }, AT_SYMLINK_NOFOLLOW);
}

static const struct timespec now = { 0, UTIME_NOW }, omit = { 0, UTIME_OMIT };

#define AT(seconds) ((struct timespec){ (seconds), 123456789 })

static void set_times(void) {
	CHECK(works(set("file", AT(1000), AT(2000))) && has_times("file", 1000, 2000));
	CHECK(status("file").st_mtim.tv_nsec == 123456789);
	CHECK(works(set("file", omit, AT(3000))) && has_times("file", 1000, 3000));
	CHECK(works(set("file", AT(4000), omit)) && has_times("file", 4000, 3000));
	CHECK(works(set("file", omit, omit)) && has_times("file", 4000, 3000));
	CHECK(works(set("file", now, omit)) && status("file").st_atim.tv_sec > 1000000);
	CHECK(status("file").st_mtim.tv_sec == 3000);
	CHECK(works(set("file", omit, now)) && status("file").st_mtim.tv_sec > 1000000);
	CHECK(works(set("file", AT(-5), AT(5000000000))) &&
	      has_times("file", -5, 5000000000));
	CHECK(works(set("dir", AT(1), AT(2))) && has_times("dir", 1, 2));
	CHECK(works(set("full", AT(1), AT(2))) && has_times("full", 1, 2));
	CHECK(works(set("symlink", AT(1), AT(2))) && has_times("symlink", 1, 2));
	CHECK(!has_times("file", 1, 2));
	CHECK(works(set("fifo", AT(1), AT(2))) && has_times("fifo", 1, 2));
	CHECK(works(set("null", AT(1), AT(2))) && has_times("null", 1, 2));
	CHECK(works(futimens(opened("other", O_RDONLY), NULL)));
	CHECK(works(utimensat(AT_FDCWD, "symlink", NULL, 0)));
	CHECK(fails(set("gone", AT(1), AT(2)), ENOENT));
	CHECK(fails(set("file", (struct timespec){ 0, 1000000000 }, omit), EINVAL));
	CHECK(CHANGES(set("other", AT(1), omit), "other", "c"));
	CHECK(works(chmod("other", 0600)) && has_times("dir", 1, 2));
}

static void set_times_of_others(void) {
	as(OTHER, OTHER);
	CHECK(fails(set("mine", AT(1), AT(2)), EPERM));
	CHECK(fails(set("mine", now, now), EACCES));
	CHECK(fails(set("file", AT(1), omit), EPERM));
	as_root();
	CHECK(works(chmod("mine", 0666)));
	as(OTHER, OTHER);
	CHECK(works(set("mine", now, now)));
	CHECK(fails(set("mine", AT(1), AT(2)), EPERM));
	CHECK(fails(set("mine", omit, now), EPERM));
	as(OWNER, OWNER);
	CHECK(works(set("mine", AT(1), AT(2))) && has_times("mine", 1, 2));
	CHECK(works(chmod("mine", 0)) && works(set("mine", now, now)));
}

static void times_of_data(void) {
	int fd = opened("file", O_RDWR);
	char c;

	CHECK(CHANGES(pwrite(fd, "x", 1, 0), "file", "mc"));
	CHECK(CHANGES(pwrite(fd, "x", 1, 0), "file", "mc"));
	CHECK(CHANGES(pwrite(fd, "x", 0, 0), "file", ""));
	CHECK(CHANGES(pread(fd, &c, 1, 0), "file", ""));
	CHECK(CHANGES(ftruncate(fd, 3), "file", "mc"));
	CHECK(CHANGES(ftruncate(fd, 3), "file", "mc"));
	CHECK(CHANGES(truncate("file", 2), "file", "mc"));
	CHECK(CHANGES(truncate("other", 5), "other", "mc"));
	CHECK(CHANGES(opened("tagged", O_RDWR), "tagged", ""));
	CHECK(CHANGES(fallocate(fd, 0, 0, 8192), "file", "mc"));
	CHECK(CHANGES(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4096),
		      "file", "mc"));
	CHECK(CHANGES(copy_file_range(opened("big", O_RDONLY), NULL, fd, NULL, 10, 0),
		      "file", "mc"));
	CHECK(CHANGES(fsync(fd), "file", ""));
	CHECK(CHANGES(close(fd), "file", ""));
}

static void times_of_names(void) {
	CHECK(CHANGES(put("dir/new", "x"), "dir", "mc"));
	CHECK(CHANGES(put("dir/new", "y"), "dir", ""));
	CHECK(CHANGES(link("file", "dir/new2"), "dir", "mc"));
	CHECK(CHANGES(link("file", "dir/new3"), "file", "c"));
	CHECK(CHANGES(unlink("dir/new3"), "file", "c"));
	CHECK(CHANGES(unlink("dir/new2"), "dir", "mc"));
	CHECK(CHANGES(mkfifo("dir/new4", 0600), "dir", "mc"));
	CHECK(CHANGES(open("dir2", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600), "dir2", ""));
	CHECK(CHANGES(chmod("full/in", 0600), "full", ""));
	CHECK(CHANGES(put("full/in", "x"), "full", ""));
	CHECK(CHANGES(setxattr("full", "user.x", "1", 1, 0), "full", "c"));
	CHECK(CHANGES(setxattr("other", "user.x", "1", 1, 0), "other", "c"));
	CHECK(CHANGES(removexattr("other", "user.x"), "other", "c"));
	CHECK(CHANGES(setxattr("full/sub/deep", "user.x", "1", 1, 0), "full/sub", ""));
}

/* What is copied up for a change keeps the times that the change leaves alone. */
static void times_kept(void) {
	const struct stat file = status("file"), full = status("full"),
			  sub = status("full/sub"), deep = status("full/sub/deep");

	tick();
	CHECK(works(chmod("file", 0600)));
	CHECK(status("file").st_mtim.tv_sec == file.st_mtim.tv_sec &&
	      status("file").st_mtim.tv_nsec == file.st_mtim.tv_nsec);
	CHECK(works(put("full/sub/deep", "x")));
	CHECK(status("full").st_mtim.tv_nsec == full.st_mtim.tv_nsec);
	CHECK(status("full/sub").st_mtim.tv_nsec == sub.st_mtim.tv_nsec);
	CHECK(status("full/sub/deep").st_atim.tv_nsec == deep.st_atim.tv_nsec);
	CHECK(status("full/sub").st_ino == sub.st_ino);
	CHECK(status("full/sub/deep").st_ino == deep.st_ino);
	CHECK(status("file").st_ino == file.st_ino);
}

const struct posix_case posix_times[] = {
	{ "set-times", set_times },
	{ "set-times-of-others", set_times_of_others },
	{ "times-of-data", times_of_data },
	{ "times-of-names", times_of_names },
	{ "times-kept", times_kept },
	{ NULL, NULL },
};

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Opening and making files, and what is open without a name. */
#include <sys/wait.h>

#include "posix.h"

static void open_existing(void) {
	CHECK(works(opened("file", O_RDONLY)));
	CHECK(works(opened("file", O_WRONLY)));
	CHECK(works(opened("file", O_RDWR)));
	CHECK(holds("file", "0123456789"));
	CHECK(fails(opened("file", O_RDWR | O_CREAT | O_EXCL), EEXIST));
	CHECK(fails(opened("dir", O_RDWR | O_CREAT | O_EXCL), EEXIST));
	CHECK(fails(opened("symlink", O_RDWR | O_CREAT | O_EXCL), EEXIST));
	CHECK(fails(opened("dangling", O_RDWR | O_CREAT | O_EXCL), EEXIST));
	CHECK(fails(opened("fifo", O_RDWR | O_CREAT | O_EXCL), EEXIST));
	CHECK(works(opened("file", O_RDWR | O_CREAT)));
	CHECK(works(opened("symlink", O_RDWR | O_CREAT)));
	CHECK(holds("symlink", "0123456789"));
	CHECK(fails(opened("gone", O_RDWR), ENOENT));
	CHECK(fails(opened("file", O_RDONLY | O_DIRECTORY), ENOTDIR));
	CHECK(fails(opened("symlink", O_RDONLY | O_NOFOLLOW), ELOOP));
	CHECK(works(opened("symlink", O_PATH | O_NOFOLLOW)));
	CHECK(fails(opened("null", O_RDONLY | O_DIRECTORY), ENOTDIR));
}

static void open_directory(void) {
	CHECK(works(opened("dir", O_RDONLY)));
	CHECK(works(opened("dir", O_RDONLY | O_DIRECTORY)));
	CHECK(fails(opened("dir", O_WRONLY), EISDIR));
	CHECK(fails(opened("dir", O_RDWR), EISDIR));
	CHECK(fails(opened("dir", O_RDONLY | O_TRUNC), EISDIR));
	CHECK(fails(opened("dir", O_RDONLY | O_CREAT), EISDIR));
	CHECK(fails(opened("gone/", O_RDWR | O_CREAT), EISDIR));
	CHECK(fails(opened("full/in/", O_RDONLY), ENOTDIR));
	CHECK(fails(opened("file/x", O_RDWR | O_CREAT), ENOTDIR));
}

static void create(void) {
	int fd = open("gone", O_RDWR | O_CREAT | O_CLOEXEC, 0666);

	CHECK(works(fd));
	CHECK(mode_of("gone") == 0644);
	CHECK(size_of("gone") == 0 && links_of("gone") == 1);
	CHECK(status("gone").st_uid == 0 && status("gone").st_gid == 0);
	CHECK(write(fd, "new", 3) == 3);
	CHECK(holds("gone", "new"));
	umask(0);
	CHECK(works(open("new1", O_RDWR | O_CREAT | O_CLOEXEC, 06777)));
	CHECK(mode_of("new1") == 06777);
	umask(0777);
	CHECK(works(open("new2", O_RDWR | O_CREAT | O_CLOEXEC, 0777)));
	CHECK(mode_of("new2") == 0);
	umask(022);
	CHECK(works(opened("dangling", O_RDWR | O_CREAT)));
	CHECK(is_there("nowhere") && type_of("dangling") == S_IFLNK);
	CHECK(works(open("full/sub/new", O_WRONLY | O_CREAT | O_CLOEXEC, 0400)));
	CHECK(mode_of("full/sub/new") == 0400);
	CHECK(works(creat("new3", 0444)) && mode_of("new3") == 0444);
	CHECK(fails(opened("nothing/new", O_RDWR | O_CREAT), ENOENT));
	CHECK(fails(opened("", O_RDWR | O_CREAT), ENOENT));
}

/* An fd that the mode would not allow any more. */
static void create_without_rights(void) {
	int fd = open("gone", O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0);

	CHECK(write(fd, "x", 1) == 1 && fd_holds(fd, "x"));
	as(OWNER, OWNER);
	fd = open("new", O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0);
	CHECK(write(fd, "x", 1) == 1 && fd_holds(fd, "x"));
	CHECK(fails(opened("new", O_RDONLY), EACCES));
	CHECK(status("new").st_uid == OWNER && status("new").st_gid == OWNER);
}

static void create_in_group(void) {
	CHECK(works(put("grouped/a", "x")) && status("grouped/a").st_gid == GROUP);
	CHECK(works(mkdir("grouped/b", 0755)) && status("grouped/b").st_gid == GROUP);
	CHECK(mode_of("grouped/b") == 02755);
	CHECK(works(symlink("x", "grouped/c")) && status("grouped/c").st_gid == GROUP);
	CHECK(works(mkfifo("grouped/d", 0644)) && status("grouped/d").st_gid == GROUP);
	as(OWNER, OWNER);
	CHECK(works(put("grouped/e", "x")));
	CHECK(status("grouped/e").st_uid == OWNER && status("grouped/e").st_gid == GROUP);
	CHECK(works(open("grouped/f", O_WRONLY | O_CREAT | O_CLOEXEC, 02770)));
	CHECK(mode_of("grouped/f") == 0750);
}

static void truncate_on_open(void) {
	CHECK(works(opened("file", O_WRONLY | O_TRUNC)));
	CHECK(size_of("file") == 0);
	CHECK(works(opened("other", O_RDONLY | O_TRUNC)));
	CHECK(size_of("other") == 0);
	CHECK(CHANGES(opened("big", O_WRONLY | O_TRUNC), "big", "mc"));
	CHECK(size_of("big") == 0 && status("big").st_blocks == 0);
	CHECK(CHANGES(opened("empty", O_WRONLY | O_TRUNC), "empty", "mc"));
	CHECK(works(opened("mine", O_WRONLY | O_CREAT | O_TRUNC)));
	CHECK(size_of("mine") == 0 && mode_of("mine") == 0640);
	CHECK(status("mine").st_uid == OWNER);
}

static void append(void) {
	int fd = opened("file", O_RDWR | O_APPEND), too = opened("file", O_WRONLY);
	char c = 0;

	CHECK(write(fd, "a", 1) == 1);
	CHECK(lseek(fd, 0, SEEK_SET) == 0 && write(fd, "b", 1) == 1);
	CHECK(holds("file", "0123456789ab"));
	CHECK(lseek(fd, 0, SEEK_CUR) == 12);
	CHECK(lseek(fd, 3, SEEK_SET) == 3 && read(fd, &c, 1) == 1 && c == '3');
	CHECK(pwrite(too, "X", 1, 0) == 1);
	CHECK(write(fd, "c", 1) == 1);
	CHECK(holds("file", "X123456789abc"));
	CHECK(works(ftruncate(too, 2)) && write(fd, "d", 1) == 1);
	CHECK(holds("file", "X1d"));
	CHECK(works(fcntl(too, F_SETFL, O_APPEND)) && write(too, "e", 1) == 1);
	CHECK(holds("file", "X1de"));
}

static void directions(void) {
	int in = opened("file", O_RDONLY), out = opened("file", O_WRONLY);
	char c;

	CHECK(fails(write(in, "x", 1), EBADF));
	CHECK(fails(read(out, &c, 1), EBADF));
	CHECK(fails(ftruncate(in, 1), EINVAL));
	CHECK(fails(pread(out, &c, 1, -1), EINVAL));
	CHECK(fails(fallocate(in, 0, 0, 10), EBADF));
	CHECK(fails(lseek(in, -1, SEEK_SET), EINVAL));
	CHECK(fails(read(opened("dir", O_RDONLY), &c, 1), EISDIR));
	CHECK(fails(write(opened("dir", O_RDONLY), &c, 1), EBADF));
	CHECK(fails(read(opened("file", O_PATH), &c, 1), EBADF));
	CHECK(fails(fchmod(opened("file", O_PATH), 0600), EBADF));
}

static void unlinked(void) {
	int fd = opened("file", O_RDWR), in = opened("other", O_RDONLY);
	struct stat st;

	CHECK(works(unlink("file")) && works(unlink("other")));
	CHECK(fd_holds(fd, "0123456789") && fd_holds(in, "other"));
	CHECK(works(fstat(fd, &st)) && st.st_nlink == 0 && st.st_size == 10);
	CHECK(works(fstat(in, &st)) && st.st_nlink == 0);
	CHECK(pwrite(fd, "X", 1, 0) == 1 && fd_holds(fd, "X123456789"));
	CHECK(works(ftruncate(fd, 3)) && fd_holds(fd, "X12"));
	CHECK(works(fchmod(fd, 0600)) && works(fstat(fd, &st)) &&
	      (st.st_mode & 07777) == 0600);
	CHECK(works(fchmod(in, 0640)) && works(fstat(in, &st)) &&
	      (st.st_mode & 07777) == 0640);
	CHECK(works(fchown(fd, 5, 6)) && works(fstat(fd, &st)) && st.st_uid == 5);
	CHECK(works(futimens(fd, (struct timespec[]){ { 7, 8 }, { 9, 10 } })));
	CHECK(works(fstat(fd, &st)) && st.st_mtim.tv_sec == 9 && st.st_mtim.tv_nsec == 10);
	CHECK(works(fsync(fd)));
	CHECK(works(put("file", "new")) && holds("file", "new") && fd_holds(fd, "X12"));
	CHECK(fails(linkat(AT_FDCWD, "/proc/self/fd/0/..", AT_FDCWD, "x", 0), ENOTDIR));
}

static void link_of(int fd, char name[static 32]) {
	snprintf(name, 32, "/proc/self/fd/%d", fd);
}

static void nameless(void) {
	int fd = open("dir", O_TMPFILE | O_RDWR | O_CLOEXEC, 0640), none;
	struct stat st;
	char name[32];

	CHECK(works(fd));
	CHECK(works(fstat(fd, &st)) && st.st_nlink == 0 && (st.st_mode & 07777) == 0640);
	CHECK(write(fd, "text", 4) == 4 && fd_holds(fd, "text"));
	link_of(fd, name);
	CHECK(works(linkat(AT_FDCWD, name, AT_FDCWD, "gone", AT_SYMLINK_FOLLOW)));
	CHECK(holds("gone", "text") && links_of("gone") == 1 && mode_of("gone") == 0640);
	CHECK(works(fstat(fd, &st)) && st.st_ino == status("gone").st_ino);
	CHECK(works(linkat(AT_FDCWD, name, AT_FDCWD, "full/two", AT_SYMLINK_FOLLOW)));
	CHECK(links_of("gone") == 2 && same_file("gone", "full/two"));
	CHECK(fails(linkat(AT_FDCWD, name, AT_FDCWD, "file", AT_SYMLINK_FOLLOW), EEXIST));
	none = open("dir", O_TMPFILE | O_RDWR | O_EXCL | O_CLOEXEC, 0600);
	CHECK(works(none));
	link_of(none, name);
	CHECK(fails(linkat(AT_FDCWD, name, AT_FDCWD, "new", AT_SYMLINK_FOLLOW), ENOENT));
	CHECK(fails(open("dir", O_TMPFILE | O_RDONLY | O_CLOEXEC, 0600), EINVAL));
	CHECK(fails(open("file", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600), ENOTDIR));
	as(OWNER, OWNER);
	CHECK(fails(open("fixed", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600), EACCES));
	fd = open("grouped", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	CHECK(works(fstat(fd, &st)) && st.st_uid == OWNER && st.st_gid == GROUP);
}

/* Ends as the program says, or with 1 and the error. */
static int run_program(void) {
	int state = 0;
	pid_t child = vfork();

	if (child == 0) {
		execl("./program", "program", (char *)NULL);
		_exit(1);
	}
	if (child < 0 || waitpid(child, &state, 0) < 0)
		return -1;
	return WEXITSTATUS(state);
}

static void execute(void) {
	int fd;

	CHECK(run_program() == 7);
	fd = opened("program", O_RDWR);
	CHECK(works(fd));
	CHECK(run_program() == 1 && errno == ETXTBSY);
	close(fd);
	CHECK(run_program() == 7);
	CHECK(works(chmod("program", 0644)) && run_program() == 1 && errno == EACCES);
	CHECK(works(chmod("program", 0755)) && run_program() == 7);
	fd = opened("program", O_RDWR | O_TRUNC);
	CHECK(write(fd, "#!/bin/sh\nexit 9\n", 17) == 17);
	close(fd);
	CHECK(run_program() == 9);
}

/* What is open twice is one file, whoever opened it first, and how. */
static void opened_twice(void) {
	int in = opened("file", O_RDONLY), out;
	char c = 0;

	CHECK(read(in, &c, 1) == 1 && c == '0');
	out = opened("other", O_RDWR);
	CHECK(pwrite(out, "X", 1, 0) == 1);
	CHECK(fd_holds(opened("other", O_RDONLY), "Xther"));
	CHECK(works(rename("other", "gone")) && pwrite(out, "Y", 1, 1) == 1);
	CHECK(holds("gone", "XYher") && fd_holds(out, "XYher"));
	CHECK(works(unlink("gone")) && works(put("gone", "anew")));
	CHECK(fd_holds(out, "XYher") && holds("gone", "anew"));
}

const struct posix_case posix_opening[] = {
	{ "open-existing", open_existing },
	{ "open-directory", open_directory },
	{ "create", create },
	{ "create-without-rights", create_without_rights },
	{ "create-in-group", create_in_group },
	{ "truncate-on-open", truncate_on_open },
	{ "append", append },
	{ "directions", directions },
	{ "unlinked", unlinked },
	{ "nameless", nameless },
	{ "execute", execute },
	{ "opened-twice", opened_twice },
	{ NULL, NULL },
};

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What others than root may do. */
#include "posix.h"

static void of_files(void) {
	as(OTHER, OTHER);
	CHECK(works(opened("file", O_RDONLY)) && fails(opened("file", O_WRONLY), EACCES));
	CHECK(fails(opened("file", O_RDONLY | O_TRUNC), EACCES));
	CHECK(fails(opened("secret", O_RDONLY), EACCES));
	CHECK(fails(opened("mine", O_RDONLY), EACCES));
	CHECK(fails(truncate("file", 0), EACCES));
	CHECK(fails(chmod("file", 0666), EPERM));
	CHECK(fails(chown("file", OTHER, OTHER), EPERM));
	CHECK(fails(chown("file", (uid_t)-1, OTHER), EPERM));
	CHECK(holds("file", "0123456789"));
	CHECK(works(eaccess("file", R_OK)) && fails(eaccess("file", W_OK), EACCES));
	CHECK(fails(eaccess("program", W_OK), EACCES) && works(eaccess("program", X_OK)));
	as(OTHER, GROUP);
	CHECK(works(opened("group", O_RDWR)) && fails(chmod("group", 0666), EPERM));
	as(OWNER, OTHER);
	CHECK(works(opened("group", O_RDWR)) && works(chmod("group", 0060)));
	CHECK(fails(opened("group", O_RDONLY), EACCES));
	CHECK(works(put("mine", "new")) && holds("mine", "new"));
}

static void of_root(void) {
	CHECK(works(chmod("file", 0)) && works(opened("file", O_RDWR)));
	CHECK(works(opened("mine", O_RDWR)) && works(chmod("mine", 0)));
	CHECK(works(put("owned/new", "x")) && works(unlink("owned/in")));
	CHECK(fails(eaccess("file", X_OK), EACCES) && works(eaccess("file", W_OK)));
	CHECK(works(chmod("dir", 0)) && works(put("dir/new", "x")));
	CHECK(works(unlink("sticky/its")) && works(rename("sticky/mine", "sticky/its")));
}

static void of_directories(void) {
	as(OTHER, OTHER);
	CHECK(fails(opened("shut/in", O_RDONLY), EACCES));
	CHECK(fails(opened("shut", O_RDONLY), EACCES));
	CHECK(fails(opened("shut/new", O_WRONLY | O_CREAT), EACCES));
	CHECK(fails(chdir("shut"), EACCES));
	CHECK(fails(lstat("shut/in", &(struct stat){ 0 }), EACCES));
	CHECK(works(opened("fixed/in", O_RDWR)));
	CHECK(fails(unlink("fixed/in"), EACCES));
	CHECK(fails(rename("fixed/in", "fixed/new"), EACCES));
	CHECK(fails(rename("fixed/in", "new"), EACCES));
	CHECK(fails(rename("sticky/its", "fixed/new"), EACCES));
	CHECK(fails(link("fixed/in", "fixed/new"), EACCES));
	CHECK(fails(mkdir("fixed/new", 0755), EACCES));
	CHECK(fails(symlink("x", "fixed/new"), EACCES));
	CHECK(fails(mkfifo("fixed/new", 0600), EACCES));
	CHECK(fails(opened("fixed/new", O_WRONLY | O_CREAT), EACCES));
	CHECK(fails(rmdir("full/sub"), EACCES));
	CHECK(fails(chmod("fixed", 0777), EPERM));
	CHECK(fails(opened("fixed/in", O_WRONLY | O_CREAT | O_EXCL), EEXIST));
	CHECK(works(opened("fixed/in", O_WRONLY | O_CREAT | O_TRUNC)));
	CHECK(size_of("fixed/in") == 0);
}

static void of_owners(void) {
	as(OWNER, OWNER);
	CHECK(works(put("owned/new", "x")) && status("owned/new").st_uid == OWNER);
	CHECK(works(rename("owned/in", "owned/in2")) && works(unlink("owned/in2")));
	CHECK(works(mkdir("owned/sub", 0700)) && works(rmdir("owned/sub")));
	CHECK(works(chmod("owned", 0500)) && fails(unlink("owned/new"), EACCES));
	CHECK(works(chmod("owned", 0300)) && fails(opened("owned", O_RDONLY), EACCES));
	CHECK(works(unlink("owned/new")) && works(chmod("owned", 0700)));
	CHECK(works(link("mine", "owned/mine")) && works(unlink("owned/mine")));
	CHECK(works(symlink("x", "owned/s")) && works(unlink("owned/s")));
	CHECK(works(rename("mine", "owned/mine")) && holds("owned/mine", "mine"));
	CHECK(works(rename("owned/mine", "gone")) && status("gone").st_uid == OWNER);
	CHECK(works(chmod("gone", 0)) && works(unlink("gone")));
	CHECK(works(unlink("secret")) &&
	      works(unlink("file"))); /* in a directory for all */
	CHECK(works(put("file", "x")) && status("file").st_uid == OWNER);
	CHECK(works(mkdir("gonedir", 0700)) && status("gonedir").st_uid == OWNER);
	CHECK(works(put("gonedir/in", "x")) && holds("gonedir/in", "x"));
}

static void of_sticky(void) {
	as(OWNER, OWNER);
	CHECK(fails(unlink("sticky/its"), EPERM));
	CHECK(fails(rename("sticky/its", "sticky/new"), EPERM));
	CHECK(fails(rename("sticky/its", "new"), EPERM));
	CHECK(fails(rename("sticky/mine", "sticky/its"), EPERM));
	CHECK(fails(rmdir("sticky/dir"), EPERM));
	CHECK(works(opened("sticky/its", O_RDWR)));
	CHECK(works(put("sticky/new", "x")) && works(unlink("sticky/new")));
	CHECK(works(rename("sticky/mine", "sticky/mine2")));
	CHECK(works(unlink("sticky/mine2")));
	as(OTHER, OTHER);
	CHECK(works(rmdir("sticky/dir")) && works(unlink("sticky/its")));
	as_root();
	CHECK(works(chown("sticky", OWNER, OWNER)) && works(put("sticky/root", "x")));
	as(OWNER, OWNER);
	CHECK(works(unlink("sticky/root")));
}

/* What is open stays open, whatever becomes of the mode. */
static void kept_open(void) {
	int fd, directory;
	struct stat st;

	as(OWNER, OWNER);
	fd = opened("mine", O_RDWR);
	directory = opened("owned", O_RDONLY | O_DIRECTORY);
	as_root();
	CHECK(works(chmod("mine", 0)) && works(chown("mine", 0, 0)));
	CHECK(works(chmod("owned", 0)) && works(chown("owned", 0, 0)));
	as(OWNER, OWNER);
	CHECK(pwrite(fd, "X", 1, 0) == 1 && fd_holds(fd, "Xine"));
	CHECK(works(ftruncate(fd, 2)) && fd_holds(fd, "Xi"));
	CHECK(fails(fchmod(fd, 0600), EPERM));
	CHECK(fails(opened("mine", O_RDONLY), EACCES));
	CHECK(fails(fstatat(directory, "in", &st, 0), EACCES));
	CHECK(works(fstat(directory, &st)));
}

const struct posix_case posix_rights[] = {
	{ "rights-of-files", of_files },
	{ "rights-of-root", of_root },
	{ "rights-of-directories", of_directories },
	{ "rights-of-owners", of_owners },
	{ "rights-of-sticky", of_sticky },
	{ "rights-kept-open", kept_open },
	{ NULL, NULL },
};

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Modes and owners. */
#include "posix.h"

static void change_mode(void) {
	CHECK(works(chmod("file", 0111)) && mode_of("file") == 0111);
	CHECK(works(chmod("file", 07777)) && mode_of("file") == 07777);
	CHECK(works(chmod("dir", 01700)) && mode_of("dir") == 01700);
	CHECK(works(chmod("full", 02711)) && mode_of("full") == 02711);
	CHECK(works(chmod("fifo", 0600)) && mode_of("fifo") == 0600);
	CHECK(works(chmod("null", 0600)) && mode_of("null") == 0600);
	CHECK(works(chmod("socket", 0600)) && mode_of("socket") == 0600);
	CHECK(works(chmod("symlink", 0640)) && mode_of("file") == 0640);
	CHECK(mode_of("symlink") == 0777);
	CHECK(fails(chmod("dangling", 0640), ENOENT));
	CHECK(fails(chmod("gone", 0640), ENOENT));
	CHECK(fails(chmod("file/x", 0640), ENOTDIR));
	CHECK(CHANGES(chmod("other", 0600), "other", "c"));
	CHECK(CHANGES(chmod("other", 0600), "other", "c"));
	CHECK(CHANGES(chmod("dir", 0755), "dir", "c"));
	CHECK(CHANGES(chmod("full/in", 0600), "full", ""));
	CHECK(holds("file", "0123456789") && holds("full/in", "in"));
	CHECK(works(fchmod(opened("empty", O_RDONLY), 0604)) && mode_of("empty") == 0604);
}

static void change_owner(void) {
	CHECK(works(chown("file", 5, 6)));
	CHECK(status("file").st_uid == 5 && status("file").st_gid == 6);
	CHECK(works(chown("file", (uid_t)-1, 7)) && status("file").st_gid == 7);
	CHECK(works(chown("file", 8, (gid_t)-1)) && status("file").st_uid == 8);
	CHECK(works(chown("file", (uid_t)-1, (gid_t)-1)) && status("file").st_gid == 7);
	CHECK(works(chown("dir", 5, 6)) && status("dir").st_uid == 5);
	CHECK(works(chown("fifo", 5, 6)) && status("fifo").st_gid == 6);
	CHECK(works(chown("symlink", 9, 9)) && status("file").st_uid == 9);
	CHECK(status("symlink").st_uid == 0);
	CHECK(works(lchown("symlink", 9, 9)) && status("symlink").st_uid == 9);
	CHECK(fails(chown("gone", 5, 6), ENOENT));
	CHECK(CHANGES(chown("other", 5, 6), "other", "c"));
	CHECK(works(fchown(opened("empty", O_RDONLY), 3, 4)) &&
	      status("empty").st_uid == 3);
	CHECK(works(fchownat(opened("mine", O_PATH), "", 3, 4, AT_EMPTY_PATH)));
	CHECK(status("mine").st_uid == 3 && holds("mine", "mine"));
}

/* A change of owner takes away set-user-id, and set-group-id where the group may execute. */
static void owner_and_suid(void) {
	CHECK(works(chown("suid", 5, 6)) && mode_of("suid") == 0755);
	CHECK(works(chmod("suid", 06755)) && works(chown("suid", (uid_t)-1, 7)));
	CHECK(mode_of("suid") == 0755);
	CHECK(works(chmod("suid", 06711)) && works(lchown("suid", 5, (gid_t)-1)));
	CHECK(mode_of("suid") == 0711);
	CHECK(works(chown("locking", 5, 6)) && mode_of("locking") == 02644);
	CHECK(works(chmod("dir", 06755)) && works(chown("dir", 5, 6)));
	CHECK(mode_of("dir") == 06755);
}

static void suid_of_owner(void) {
	as(OWNER, GROUP);
	CHECK(works(chown("suid", OWNER, GROUP)) && mode_of("suid") == 0755);
	CHECK(works(chmod("suid", 06755)) && mode_of("suid") == 06755);
	CHECK(works(chown("suid", (uid_t)-1, (gid_t)-1)));
	CHECK(works(chmod("locking", 02640)) && mode_of("locking") == 02640);
	CHECK(fails(chown("suid", OTHER, GROUP), EPERM));
	CHECK(fails(chown("suid", OWNER, OTHER), EPERM));
	as(OWNER, OWNER);
	CHECK(works(chmod("suid", 06755)) && mode_of("suid") == 04755);
	CHECK(works(chmod("locking", 02644)) && mode_of("locking") == 0644);
	CHECK(works(chmod("mine", 02750)) && mode_of("mine") == 02750);
	CHECK(works(chown("group", (uid_t)-1, OWNER)) && status("group").st_gid == OWNER);
	CHECK(fails(chown("group", (uid_t)-1, GROUP), EPERM));
}

static int overwrite(const char *path) {
	_cleanup_close_ int fd = opened(path, O_WRONLY);

	return pwrite(fd, "x", 1, 0) == 1 ? 0 : -1;
}

/* Who writes takes set-user-id away, but for root. */
static void suid_and_writing(void) {
	CHECK(works(overwrite("suid")) && mode_of("suid") == 06755);
	CHECK(works(truncate("suid", 2)) && mode_of("suid") == 06755);
	CHECK(works(chmod("suid", 06777)) && works(chmod("locking", 02666)));
	as(OTHER, OTHER);
	CHECK(works(overwrite("suid")) && mode_of("suid") == 0777);
	CHECK(works(overwrite("locking")) && mode_of("locking") == 0666);
	as_root();
	CHECK(works(chmod("suid", 06777)) && works(chmod("locking", 02666)));
	as(OTHER, OTHER);
	CHECK(works(truncate("suid", 1)) && mode_of("suid") == 0777);
	as_root();
	CHECK(works(chmod("suid", 06777)) && works(chmod("locking", 02666)));
	as(OTHER, OTHER);
	CHECK(works(opened("suid", O_WRONLY | O_TRUNC)) && mode_of("suid") == 0777);
	CHECK(works(truncate("locking", 0)) && mode_of("locking") == 0666);
	as(OWNER, GROUP);
	CHECK(works(chmod("suid", 06777)) && works(overwrite("suid")));
	CHECK(mode_of("suid") == 0777);
	CHECK(works(chmod("locking", 02666)) && works(overwrite("locking")));
	CHECK(mode_of("locking") == 02666);
}

static void suid_and_space(void) {
	int fd;

	CHECK(works(chmod("suid", 06777)) && works(chmod("big", 0666)));
	as(OTHER, OTHER);
	fd = opened("suid", O_RDWR);
	CHECK(works(fallocate(fd, 0, 0, 8192)) && mode_of("suid") == 0777);
	as_root();
	CHECK(works(chmod("suid", 06777)) && works(chmod("suid", 06777)));
	as(OTHER, OTHER);
	CHECK(copy_file_range(opened("big", O_RDONLY), NULL, fd, NULL, 100, 0) == 100);
	CHECK(mode_of("suid") == 0777);
}

static void links_of_directories(void) {
	CHECK(links_of("file") == 1 && links_of("symlink") == 1 && links_of("fifo") == 1);
	CHECK(works(mkdir("new", 0755)) && works(mkdir("new/a", 0755)));
	CHECK(links_of("new") == 3 || links_of("new") == 1);
	CHECK(works(rmdir("new/a")) && links_of("new") <= 2);
}

static void blocks(void) {
	CHECK(size_of("big") == 300000 && status("big").st_blocks > 0);
	CHECK(status("big").st_blocks * 512 < 150000);
	CHECK(status("file").st_blksize > 0);
	CHECK(works(truncate("big", 0)) && status("big").st_blocks == 0);
	CHECK(status("symlink").st_size == 4 && status("fifo").st_size == 0);
}

const struct posix_case posix_attributes[] = {
	{ "change-mode", change_mode },
	{ "change-owner", change_owner },
	{ "owner-and-suid", owner_and_suid },
	{ "suid-of-owner", suid_of_owner },
	{ "suid-and-writing", suid_and_writing },
	{ "suid-and-space", suid_and_space },
	{ "links-of-directories", links_of_directories },
	{ "blocks", blocks },
	{ NULL, NULL },
};

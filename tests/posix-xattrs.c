/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Extended attributes, access control lists, capabilities. */
#include <sys/xattr.h>

#include "posix.h"

static bool has(const char *path, const char *name, const char *value) {
	char got[1000];
	ssize_t n = lgetxattr(path, name, got, sizeof(got));

	return n == (ssize_t)strlen(value) && memcmp(got, value, (size_t)n) == 0;
}

static bool names(const char *path, const char *name) {
	char list[2000];
	ssize_t n = llistxattr(path, list, sizeof(list));

	for (const char *p = list; p < list + n; p += strlen(p) + 1)
		if (strcmp(p, name) == 0)
			return true;
	return false;
}

static int tag(const char *path, const char *name, const char *value, int flags) {
	return lsetxattr(path, name, value, strlen(value), flags);
}

static void set_attributes(void) {
	char small[2];

	CHECK(has("tagged", "user.tag", "value") && names("tagged", "user.tag"));
	CHECK(works(tag("file", "user.a", "1", 0)) && has("file", "user.a", "1"));
	CHECK(works(tag("file", "user.a", "two", 0)) && has("file", "user.a", "two"));
	CHECK(fails(tag("file", "user.a", "3", XATTR_CREATE), EEXIST));
	CHECK(works(tag("file", "user.a", "3", XATTR_REPLACE)) &&
	      has("file", "user.a", "3"));
	CHECK(fails(tag("file", "user.b", "1", XATTR_REPLACE), ENODATA));
	CHECK(works(tag("file", "user.b", "", XATTR_CREATE)) && has("file", "user.b", ""));
	CHECK(names("file", "user.a") && names("file", "user.b"));
	CHECK(works(removexattr("file", "user.a")) && !names("file", "user.a"));
	CHECK(fails(removexattr("file", "user.a"), ENODATA));
	CHECK(fails(getxattr("file", "user.a", small, 2), ENODATA));
	CHECK(fails(getxattr("tagged", "user.tag", small, 2), ERANGE));
	CHECK(getxattr("tagged", "user.tag", NULL, 0) == 5);
	CHECK(fails(listxattr("tagged", small, 1), ERANGE));
	CHECK(works(removexattr("tagged", "user.tag")) && !names("tagged", "user.tag"));
	CHECK(works(put("tagged", "x")) && !names("tagged", "user.tag"));
	CHECK(fails(tag("gone", "user.a", "1", 0), ENOENT));
	CHECK(fails(tag("file", "unknown.a", "1", 0), EOPNOTSUPP));
	CHECK(fails(tag("file", "user.", "1", 0), EINVAL));
	CHECK(fails(tag("file", "", "1", 0), ERANGE));
	CHECK(fails(tag("file", "user.c", "1", 4), EINVAL));
}

static void kept_attributes(void) {
	CHECK(works(chmod("tagged", 0600)) && has("tagged", "user.tag", "value"));
	CHECK(works(put("tagged", "x")) && has("tagged", "user.tag", "value"));
	CHECK(works(rename("tagged", "gone")) && has("gone", "user.tag", "value"));
	CHECK(works(link("gone", "new")) && has("new", "user.tag", "value"));
	CHECK(works(tag("new", "user.more", "x", 0)) && has("gone", "user.more", "x"));
	CHECK(works(unlink("gone")) && works(put("gone", "x")));
	CHECK(!names("gone", "user.tag"));
	CHECK(works(tag("dir", "user.dir", "x", 0)) && has("dir", "user.dir", "x"));
	CHECK(works(put("dir/new", "x")) && has("dir", "user.dir", "x"));
	CHECK(works(tag("full", "user.full", "x", 0)));
	CHECK(has("full", "user.full", "x") && holds("full/in", "in"));
}

static void kinds_of_attributes(void) {
	CHECK(works(tag("file", "trusted.a", "1", 0)) && has("file", "trusted.a", "1"));
	CHECK(names("file", "trusted.a"));
	CHECK(works(tag("file", "security.a", "1", 0)) && has("file", "security.a", "1"));
	CHECK(works(tag("fifo", "trusted.a", "1", 0)) && has("fifo", "trusted.a", "1"));
	CHECK(works(tag("symlink", "trusted.a", "1", 0)));
	CHECK(has("symlink", "trusted.a", "1"));
	CHECK(fails(tag("fifo", "user.a", "1", 0), EPERM));
	CHECK(fails(tag("symlink", "user.a", "1", 0), EPERM));
	CHECK(fails(tag("null", "user.a", "1", 0), EPERM));
	as(OTHER, OTHER);
	CHECK(fails(tag("file", "trusted.b", "1", 0), EPERM));
	CHECK(fails(lgetxattr("file", "trusted.a", NULL, 0), ENODATA));
	CHECK(!names("file", "trusted.a"));
	CHECK(fails(tag("file", "security.b", "1", 0), EPERM));
	CHECK(fails(tag("file", "user.b", "1", 0), EACCES));
	CHECK(fails(lgetxattr("secret", "user.a", NULL, 0), EACCES));
	CHECK(fails(removexattr("tagged", "user.tag"), EACCES));
	as(OWNER, OWNER);
	CHECK(works(tag("tagged", "user.mine", "1", 0)) &&
	      has("tagged", "user.mine", "1"));
	CHECK(fails(tag("sticky", "user.b", "1", 0), EPERM));
}

static void fd_attributes(void) {
	int fd = opened("tagged", O_RDONLY);
	char got[10];

	CHECK(fgetxattr(fd, "user.tag", got, sizeof(got)) == 5);
	CHECK(works(fsetxattr(fd, "user.fd", "1", 1, 0)) && has("tagged", "user.fd", "1"));
	CHECK(works(unlink("tagged")));
	CHECK(fgetxattr(fd, "user.tag", got, sizeof(got)) == 5);
	CHECK(works(fsetxattr(fd, "user.fd", "22", 2, 0)));
	CHECK(fgetxattr(fd, "user.fd", got, sizeof(got)) == 2);
	CHECK(works(fremovexattr(fd, "user.tag")));
	CHECK(fails(fgetxattr(fd, "user.tag", got, sizeof(got)), ENODATA));
	CHECK(flistxattr(fd, NULL, 0) > 0);
}

static void large_attributes(void) {
	static char value[65537], got[65536];
	char name[300] = "user.";

	memset(value, 'v', sizeof(value));
	memset(name + 5, 'n', 250);
	CHECK(works(setxattr("file", name, "1", 1, 0)) && names("file", name));
	CHECK(works(setxattr("file", "user.large", value, 3000, 0)));
	CHECK(getxattr("file", "user.large", got, sizeof(got)) == 3000);
	CHECK(memcmp(value, got, 3000) == 0);
	name[255] = 'n';
	CHECK(fails(setxattr("file", name, "1", 1, 0), ERANGE));
	CHECK(fails(setxattr("file", "user.more", value, sizeof(value), 0), E2BIG));
	CHECK(has("file", "user.more", "1") == false);
}

/* --- lists: version 2; then tag, rights, id, each little-endian --- */

#define ENTRY(tag, rights, id)                                              \
	(tag), 0, (rights), 0, (id)&255, (id) >> 8 & 255, (id) >> 16 & 255, \
		(id) >> 24 & 255
#define NOBODY 0xffffffffu
#define ACL(user_rights, mask)                                                           \
	{                                                                                \
		2, 0, 0, 0, ENTRY(1, 6, NOBODY), ENTRY(2, user_rights, (unsigned)OTHER), \
			ENTRY(4, 4, NOBODY), ENTRY(16, mask, NOBODY),                    \
			ENTRY(32, 0, NOBODY)                                             \
	}

static const unsigned char may_write[] = ACL(6, 6), may_read[] = ACL(4, 7);

#define ACCESS "system.posix_acl_access"
#define DEFAULT "system.posix_acl_default"

static void access_lists(void) {
	unsigned char got[200];

	CHECK(works(setxattr("file", ACCESS, may_write, sizeof(may_write), 0)));
	CHECK(mode_of("file") == 0660);
	CHECK(getxattr("file", ACCESS, got, sizeof(got)) == sizeof(may_write));
	CHECK(memcmp(got, may_write, sizeof(may_write)) == 0);
	CHECK(works(setxattr("secret", ACCESS, may_read, sizeof(may_read), 0)));
	CHECK(CHANGES(setxattr("other", ACCESS, may_write, sizeof(may_write), 0), "other",
		      "c"));
	as(OTHER, OTHER);
	CHECK(works(opened("file", O_RDWR)) && works(opened("secret", O_RDONLY)));
	CHECK(fails(opened("secret", O_RDWR), EACCES));
	CHECK(fails(setxattr("file", ACCESS, may_read, sizeof(may_read), 0), EPERM));
	as(OWNER, OWNER);
	CHECK(fails(opened("file", O_RDONLY), EACCES));
	CHECK(works(setxattr("mine", ACCESS, may_write, sizeof(may_write), 0)));
	CHECK(fails(setxattr("sticky/its", ACCESS, may_write, sizeof(may_write), 0),
		    EPERM));
	as_root();
	CHECK(works(chmod("file", 0600)));
	as(OTHER, OTHER);
	CHECK(fails(opened("file", O_RDONLY), EACCES));
	as_root();
	CHECK(works(chmod("file", 0660)) && works(removexattr("file", ACCESS)));
	as(OTHER, OTHER);
	CHECK(fails(opened("file", O_RDONLY), EACCES));
}

static void bad_lists(void) {
	CHECK(fails(setxattr("file", ACCESS, may_write, 5, 0), EINVAL));
	CHECK(fails(setxattr("file", ACCESS, may_write, sizeof(may_write) - 8, 0),
		    EINVAL));
	CHECK(fails(setxattr("file", DEFAULT, may_write, sizeof(may_write), 0), EACCES));
	CHECK(works(setxattr("dir", ACCESS, may_write, sizeof(may_write), 0)));
	CHECK(fails(getxattr("file", ACCESS, NULL, 0), ENODATA));
	CHECK(fails(lsetxattr("symlink", ACCESS, may_write, sizeof(may_write), 0),
		    EOPNOTSUPP));
	CHECK(mode_of("file") == 0644);
}

static void default_lists(void) {
	CHECK(works(setxattr("dir", DEFAULT, may_write, sizeof(may_write), 0)));
	CHECK(mode_of("dir") == 0755);
	umask(077);
	CHECK(works(open("dir/file", O_RDWR | O_CREAT | O_CLOEXEC, 0666)));
	CHECK(mode_of("dir/file") == 0660);
	CHECK(getxattr("dir/file", ACCESS, NULL, 0) == sizeof(may_write));
	CHECK(works(open("dir/less", O_RDWR | O_CREAT | O_CLOEXEC, 0640)));
	CHECK(mode_of("dir/less") == 0640);
	CHECK(works(mkdir("dir/sub", 0777)) && mode_of("dir/sub") == 0660);
	CHECK(getxattr("dir/sub", DEFAULT, NULL, 0) == sizeof(may_write));
	CHECK(works(mkfifo("dir/fifo", 0666)) && mode_of("dir/fifo") == 0660);
	CHECK(works(symlink("x", "dir/symlink")) && mode_of("dir/symlink") == 0777);
	CHECK(works(unlink("dir/file")) && works(put("dir/file", "x")));
	CHECK(mode_of("dir/file") == 0640);
	as(OTHER, OTHER);
	CHECK(works(opened("dir/fifo", O_RDWR)));
	as_root();
	CHECK(works(removexattr("dir", DEFAULT)));
	CHECK(works(put("dir/plain", "x")) && mode_of("dir/plain") == 0600);
}

static void capabilities(void) {
	static const char all[20] = { 1, 0, 0, 2, (char)255 };

	CHECK(works(setxattr("mine", "security.capability", all, 20, 0)));
	CHECK(getxattr("mine", "security.capability", NULL, 0) == 20);
	CHECK(works(chmod("mine", 0755)) &&
	      getxattr("mine", "security.capability", NULL, 0) == 20);
	CHECK(works(rename("mine", "gone")) &&
	      getxattr("gone", "security.capability", NULL, 0) == 20);
	CHECK(pwrite(opened("gone", O_WRONLY), "x", 1, 0) == 1);
	CHECK(fails(getxattr("gone", "security.capability", NULL, 0), ENODATA));
	CHECK(works(setxattr("gone", "security.capability", all, 20, 0)));
	CHECK(works(chown("gone", 5, 6)) &&
	      fails(getxattr("gone", "security.capability", NULL, 0), ENODATA));
	CHECK(works(setxattr("gone", "security.capability", all, 20, 0)));
	CHECK(works(truncate("gone", 0)) &&
	      fails(getxattr("gone", "security.capability", NULL, 0), ENODATA));
	as(OWNER, OWNER);
	CHECK(fails(setxattr("tagged", "security.capability", all, 20, 0), EPERM));
}

const struct posix_case posix_xattrs[] = {
	{ "set-attributes", set_attributes },
	{ "kept-attributes", kept_attributes },
	{ "kinds-of-attributes", kinds_of_attributes },
	{ "fd-attributes", fd_attributes },
	{ "large-attributes", large_attributes },
	{ "access-lists", access_lists },
	{ "bad-lists", bad_lists },
	{ "default-lists", default_lists },
	{ "capabilities", capabilities },
	{ NULL, NULL },
};

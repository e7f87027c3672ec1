/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Options of overlayfs are understood, or refused. */

#include <check.h>
#include <sys/mount.h>

#include "fuse/mountopts.h"
#include "merge/strv.h"
#include "unit.h"

static const struct {
	const char *text, *layers; /* joined by '|' */
	enum whiteout_space space;
	uint64_t attributes;
} accepted[] = {
	{ "lowerdir=/a", "/a", WHITEOUT_TRUSTED, 0 },
	{ "lowerdir=/a:b:/c", "/a|b|/c", WHITEOUT_TRUSTED, 0 },
	{ "lowerdir=/a\\:b:c\\,d:e\\\\", "/a:b|c,d|e\\", WHITEOUT_TRUSTED, 0 },
	{ "lowerdir=/a\\", "/a\\", WHITEOUT_TRUSTED, 0 },
	{ "ro,lowerdir+=/a:x,lowerdir+=/b,userxattr", "/a:x|/b", WHITEOUT_USER,
	  MOUNT_ATTR_RDONLY },
	{ "rw,nosuid,nodev,dev,noexec,lowerdir=a,x-systemd.automount,,", "a",
	  WHITEOUT_TRUSTED, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC },
	{ "redirect_dir=off,metacopy=off,index=off,xino=auto", "", WHITEOUT_TRUSTED, 0 },
	{ "volatile,fsync=strict,uuid=on,verity=off,override_creds,lowerdir=a", "a",
	  WHITEOUT_TRUSTED, 0 },
	{ "X-mount.mkdir,comment=a,uhelper=b,user=c,_netdev,nofail,group,lazytime", "",
	  WHITEOUT_TRUSTED, 0 },
	{ "noatime,atime,nodiratime,diratime,nosymfollow,symfollow,norelatime", "",
	  WHITEOUT_TRUSTED, 0 },
	{ "user_id=0,group_id=0,default_permissions,allow_other", "", WHITEOUT_TRUSTED,
	  0 },
	{ "", "", WHITEOUT_TRUSTED, 0 },
};

static const struct {
	const char *text, *why;
} refused[] = {
	{ "lowerdir=", "'lowerdir': a path is empty" },
	{ "lowerdir=a:", "'lowerdir': a path is empty" },
	{ "lowerdir=a::b", "'lowerdir': a path is empty" },
	{ "lowerdir=a,upperdir=", "'upperdir': a path is empty" },
	{ "workdir=", "'workdir': a path is empty" },
	{ "io=fast", "'io=fast': it is auto, passthrough or cached" },
	{ "grafts=17", "'grafts=17': it is a number up to 16" },
	{ "grafts=", "'grafts=': it is a number up to 16" },
	{ "redirect_dir=on",
	  "'redirect_dir=on': redirects are neither followed nor made" },
	{ "metacopy=on", "'metacopy=on': a file is copied with its data" },
	{ "index=on",
	  "'index=on': of a file with several names each is copied for itself" },
	{ "nfs_export=on", "'nfs_export=on': there is no index, which it needs" },
	{ "xino=x", "'xino=x': it is on, off or auto" },
	{ "datadir+=/a", "'datadir+=/a': data are never looked for in another layer" },
	{ "nooverride_creds",
	  "'nooverride_creds': layers are read with the rights of the server" },
	{ "context=a:b", "'context=a:b': labels cannot be chosen" },
	{ "strictatime", "'strictatime': reading changes no times" },
	{ "sync", "'sync': only fsync(2) waits for the disk" },
	{ "user_id=1", "'user_id=1': there is no such option" },
	{ "lowerdir=a,lowerdir=b", "'lowerdir': there are layers already" },
	{ "lowerdir", "'lowerdir': there is no such option" },
	{ "\x1b[31m", "'\\x1b[31m': there is no such option" },
};

/* union.1 */
START_TEST(accepts) {
	struct mountopts o = { .layers = NULL };
	char why[MOUNTOPTS_WHY_MAX], joined[256] = "";

	ck_assert_msg(mountopts_parse(accepted[_i].text, &o, why) == 0, "%s", why);
	for (char **p = o.layers; p && *p; p++) {
		if (p != o.layers)
			strcat(joined, "|");
		strcat(joined, *p);
	}
	ck_assert_str_eq(joined, accepted[_i].layers);
	ck_assert_int_eq(o.space, accepted[_i].space);
	ck_assert_uint_eq(o.attributes, accepted[_i].attributes);
	mountopts_done(&o);
}
END_TEST

/* overlay.1 */
START_TEST(knows_where_to_write) {
	struct mountopts o = { .layers = NULL };
	char why[MOUNTOPTS_WHY_MAX];

	ck_assert_int_eq(mountopts_parse("lowerdir=a", &o, why), 0);
	ck_assert_ptr_null(o.upper);
	ck_assert_ptr_null(o.work);
	ck_assert_int_eq(mountopts_parse("upperdir=/u:v\\,w,workdir=x", &o, why), 0);
	ck_assert_str_eq(o.upper, "/u:v,w");
	ck_assert_str_eq(o.work, "x");
	mountopts_done(&o);
}
END_TEST

/* union.24 */
START_TEST(knows_what_is_there) {
	struct mountopts o = { .layers = NULL };
	char why[MOUNTOPTS_WHY_MAX];

	ck_assert_int_eq(mountopts_parse("ro", &o, why), 0);
	ck_assert(!o.remount);
	ck_assert_int_eq(mountopts_parse("remount,nosuid", &o, why), 0);
	ck_assert(o.remount);
	ck_assert_uint_eq(o.attributes, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID);
	mountopts_done(&o);
}
END_TEST

/* union.17 */
START_TEST(knows_how_to_read) {
	struct mountopts o = { .layers = NULL };
	char why[MOUNTOPTS_WHY_MAX];

	ck_assert_int_eq(mountopts_parse("lowerdir=a", &o, why), 0);
	ck_assert_int_eq(o.io, UNION_IO_AUTO);
	ck_assert_int_eq(mountopts_parse("io=passthrough,ro", &o, why), 0);
	ck_assert_int_eq(o.io, UNION_IO_PASSTHROUGH);
	ck_assert_uint_eq(o.grafts, 0);
	ck_assert_int_eq(mountopts_parse("io=cached,grafts=16", &o, why), 0);
	ck_assert_uint_eq(o.grafts, 16);
	ck_assert_int_eq(o.io, UNION_IO_CACHED);
	mountopts_done(&o);
}
END_TEST

START_TEST(refuses) {
	struct mountopts o = { .layers = NULL };
	char why[MOUNTOPTS_WHY_MAX];

	ck_assert_int_eq(mountopts_parse(refused[_i].text, &o, why), -EINVAL);
	ck_assert_str_eq(why, refused[_i].why);
	mountopts_done(&o);
}
END_TEST

int main(void) {
	Suite *suite = suite_create("mountopts");
	TCase *tcase = tcase_create("mountopts");

	tcase_add_loop_test(tcase, accepts, 0, ARRAY_SIZE(accepted));
	tcase_add_loop_test(tcase, refuses, 0, ARRAY_SIZE(refused));
	tcase_add_test(tcase, knows_what_is_there);
	tcase_add_test(tcase, knows_how_to_read);
	tcase_add_test(tcase, knows_where_to_write);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}

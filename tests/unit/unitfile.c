/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Unit files and the drop-ins that are made of them (specs: dropin.*). */
#include "merge/unitfile.h"

#include "unit.h"

#define HEAD "[Service]\nExecStart=\n"
#define RELOAD_OF(name) \
	"ExecReload=\nExecReload=+/x refresh --service=" name " --pid=${MAINPID}\n"
#define RELOAD RELOAD_OF("web")

/* `unit` may be several files, with a form feed between them. */
static const struct {
	const char *name, *unit, *text, *why;
} cases[] = {
	{ "web", "[Service]\nExecStart=/bin/web -f\n",
	  HEAD "ExecStart=/x run --service=web -- /bin/web -f\n" RELOAD, NULL },
	{ "web",
	  "[Unit]\nExecStart=/no\n[Service]\n ExecStart = /bin/web \n[Install]\nExecStart=/no\n",
	  HEAD "ExecStart=/x run --service=web -- /bin/web\n" RELOAD, NULL },
	{ "web",
	  "[Service]\nExecStart=-/bin/web a \\\n# comment\n  b\nExecReload=/bin/kill -HUP $MAINPID\n",
	  HEAD "ExecStart=-/x run --service=web -- /bin/web a    b\n" RELOAD
	       "ExecReload=/bin/kill -HUP $MAINPID\n",
	  NULL },
	{ "web",
	  "[Service]\nExecStart=/bin/old\f[Service]\nExecStart=\nExecStart=:+/bin/new\n",
	  HEAD "ExecStart=:+/x run --service=web -- /bin/new\n" RELOAD, NULL },
	{ "web", "[Service]\nType=oneshot\nExecStart=/bin/a\nExecStart=/bin/b\n",
	  HEAD "ExecStart=/x run --service=web -- /bin/a\n"
	       "ExecStart=/x run --service=web -- /bin/b\n" RELOAD,
	  NULL },
	{ "vpn@home", "[Service]\nExecStart=/bin/vpn %i\n",
	  HEAD "ExecStart=/x run --service=%N -- /bin/vpn %i\n" RELOAD_OF("%N"), NULL },
	{ "web", "[Service]\nUser=www\nGroup=web\nExecStart=/bin/web\n",
	  HEAD
	  "ExecStart=!/x run --service=web -- /usr/bin/setpriv --reuid=www --regid=web "
	  "--init-groups -- /bin/web\n" RELOAD,
	  NULL },
	{ "web", "[Service]\nUser=www\nGroup=web\nExecStart=+/bin/web\n",
	  HEAD "ExecStart=+/x run --service=web -- /bin/web\n" RELOAD, NULL },
	{ "web", "[Service]\nUser=www\nExecStart=/bin/web\f[Service]\nUser=\n",
	  HEAD "ExecStart=/x run --service=web -- /bin/web\n" RELOAD, NULL },
	{ "web", "", NULL, "it has no ExecStart=" },
	{ "web", "[Service]\nExecStart=/bin/web\nExecStart=\n", NULL,
	  "it has no ExecStart=" },
	{ "web", "[Service]\nUser=www\nExecStart=/bin/web\n", NULL,
	  "it has User=www without Group=" },
	{ "web", "[Service]\nExecStart=@/bin/web web\n", NULL,
	  "ExecStart=@ gives the command another name" },
	{ "web", "[Service]\nExecStart=/x run --service=web -- /bin/web\n", NULL,
	  "its ExecStart= is wrapped already" },
	{ "web", "[Service]\nExecStart=/bin/web\nDynamicUser=yes\n", NULL,
	  "it has DynamicUser=yes, which needs a command that systemd starts itself" },
	{ "web", "[Service]\nExecStart=/bin/web\nRootDirectory=/srv\n", NULL,
	  "it has RootDirectory=/srv, which needs a command that systemd starts itself" },
	{ "web",
	  "[Service]\nExecStart=/bin/web\nUser=u\nGroup=g\nSupplementaryGroups=adm\n",
	  NULL,
	  "it has SupplementaryGroups=adm, which needs a command that systemd starts itself" },
	{ "web", "[Service]\nExecStart=/bin/web\nDynamicUser=no\nRootImage=\n",
	  HEAD "ExecStart=/x run --service=web -- /bin/web\n" RELOAD, NULL },
};

static void check_case(size_t i) {
	_cleanup_(unitfile_done) struct unitfile u = { 0 };
	_cleanup_free_ char *text = NULL, *why = NULL;
	const char *at = cases[i].unit;

	for (size_t len; at; at = at[len] ? at + len + 1 : NULL) {
		len = strcspn(at, "\f");
		ck_assert_int_eq(unitfile_add(&u, at, len), 0);
	}
	ck_assert_int_eq(unitfile_wrap(&u, cases[i].name, "/x", &text, &why),
			 cases[i].text ? 0 : -EOPNOTSUPP);
	ck_assert_pstr_eq(text, cases[i].text);
	ck_assert_pstr_eq(why, cases[i].why);
}

START_TEST(units_are_wrapped) {
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		check_case(i);
}
END_TEST

START_TEST(bytes_that_are_no_text) {
	_cleanup_(unitfile_done) struct unitfile u = { 0 };

	ck_assert_int_eq(unitfile_add(&u, "[Service]\0", 10), -EBADMSG);
	ck_assert_int_eq(unitfile_add(&u, "\\", 1), 0);
	ck_assert_int_eq(unitfile_add(&u, "=\n[\n]\n[Service]\n=\n==\nExecStart", 29), 0);
	ck_assert_ptr_null(u.start);
}
END_TEST

int main(void) {
	const TTest *const tests[] = { units_are_wrapped, bytes_that_are_no_text, NULL };

	return unit_main("unitfile", tests);
}

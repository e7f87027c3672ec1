/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Scripts of OpenRC, and what is printed for other inits (specs: dropin.5 to dropin.7). */
#include "merge/initscript.h"

#include "unit.h"

#define HEAD "#!/sbin/openrc-run\n"

static const struct {
	const char *script, *configuration, *obstacle;
	bool has_reload, is_whole;
} cases[] = {
	{ HEAD "command=/bin/web\n", "", NULL, false, false },
	{ HEAD " command=/bin/web\nreload() {\n", "web_opts=1\n", NULL, true, false },
	{ "#!/sbin/runscript\n: ${command:=/bin/web}\nreload ()\n{\n", "", NULL, true,
	  false },
	{ HEAD "name=web\n", "", NULL, false, true },
	{ HEAD "command=/bin/web\nstart() {\n", "", NULL, false, true },
	{ HEAD "command=/bin/web\n\tstart_pre () {\n", "", NULL, false, true },
	{ HEAD "command=/bin/web\nreload() {\nreload_pre() {\n", "",
	  "it has reload_pre() of its own", true, false },
	{ HEAD "command=/bin/web\n# start() {\nstart_it() {\nrestart() {\n", "", NULL,
	  false, false },
	{ HEAD "command=/bin/web\n", "start_post() {\n", NULL, false, true },
	{ HEAD "command=/bin/web\n", "start_pre() {\n	extmerge_command=$command\n",
	  "it is wrapped already", false, true },
	{ HEAD "start() {\n", "unset EXTMERGE_STARTS\nreload_pre() {\n",
	  "it is wrapped already", false, true },
	{ "#!/bin/sh\ncommand=/bin/web\n", "",
	  "OpenRC only calls it, it is not written for it", false, false },
	{ "", "", "OpenRC only calls it, it is not written for it", false, false },
};

START_TEST(scripts) {
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(initscript_done) struct initscript s = { 0 };
		const char *text = cases[i].script, *more = cases[i].configuration;

		ck_assert_int_eq(initscript_add(&s, text, strlen(text), true), 0);
		ck_assert_int_eq(initscript_add(&s, more, strlen(more), false), 0);
		if (cases[i].obstacle)
			ck_assert_str_eq(s.obstacle, cases[i].obstacle);
		else
			ck_assert_msg(!s.obstacle, "%zu: %s", i, s.obstacle);
		ck_assert_msg(s.has_reload == cases[i].has_reload, "%zu", i);
		if (!s.obstacle)
			ck_assert_msg(s.is_whole == cases[i].is_whole, "%zu", i);
	}
}
END_TEST

START_TEST(no_text) {
	_cleanup_(initscript_done) struct initscript s = { 0 };

	ck_assert_int_eq(initscript_add(&s, HEAD "\0x", sizeof(HEAD) + 1, true), -EBADMSG);
}
END_TEST

START_TEST(words) {
	static const char *const inits[] = { "systemd", "openrc", "runit", "s6" };
	enum init init = INIT_SYSTEMD;

	for (size_t i = 0; i < ARRAY_SIZE(inits); i++) {
		ck_assert_int_eq(init_from(inits[i], &init), 0);
		ck_assert_uint_eq(init, i);
	}
	ck_assert_int_eq(init_from("sysvinit", &init), -EINVAL);
}
END_TEST

/* A name of which a placeholder is a part is not replaced twice. */
START_TEST(prints) {
	for (int i = 2 * INIT_OPENRC; i <= 2 * INIT_S6 + 1; i++) {
		_cleanup_free_ char *text = initscript_print((enum init)(i / 2),
							     "SELF-NAME", "/x", i % 2);

		ck_assert_ptr_nonnull(text);
		ck_assert_ptr_nonnull(strstr(text, "run --service=SELF-NAME -- "));
		ck_assert_ptr_nonnull(strstr(text, "/x refresh --service=SELF-NAME"));
		ck_assert_ptr_null(strstr(text, "=NAME"));
		ck_assert_ptr_null(strstr(text, "SELF refresh"));
	}
}
END_TEST

int main(void) {
	const TTest *const tests[] = { scripts, no_text, words, prints, NULL };

	return unit_main("initscript", tests);
}

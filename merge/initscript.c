/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Services of OpenRC, runit and s6. */
#include "initscript.h"

#include <string.h>

#include "text.h"

#define BLANKS " \t"

static const char *const words[] = {
	[INIT_SYSTEMD] = "systemd",
	[INIT_OPENRC] = "openrc",
	[INIT_RUNIT] = "runit",
	[INIT_S6] = "s6",
};

int init_from(const char *word, enum init *ret) {
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strcmp(word, words[i]) == 0) {
			*ret = (enum init)i;
			return 0;
		}
	return -EINVAL;
}

/* --- reading --- */

static bool begins_function(const char *line, const char *name) {
	const size_t len = strlen(name);

	if (strncmp(line, name, len) != 0)
		return false;
	line += len;
	return line[strspn(line, BLANKS)] == '(';
}

static int hinder(struct initscript *s, char *sentence) {
	if (!sentence)
		return -ENOMEM;
	free(s->obstacle);
	s->obstacle = sentence;
	return 0;
}

/* Of two functions that a shell reads, the later one is it: ours must not be replaced by the script's, nor replace one of conf.d. */
static int add_line(struct initscript *s, const char *line) {
	static const char *const starting[] = { "start", "start_pre", "start_post" };

	s->has_reload = s->has_reload || begins_function(line, "reload");
	s->has_command = s->has_command || strncmp(line, "command=", 8) == 0 ||
			 strncmp(line, ": ${command:=", 13) == 0;
	for (size_t i = 0; i < ARRAY_SIZE(starting); i++)
		s->is_whole = s->is_whole || begins_function(line, starting[i]);
	if (strncmp(line, "extmerge_command=", 17) == 0 ||
	    strncmp(line, "unset EXTMERGE_STARTS", 21) == 0)
		return hinder(s, strdup("it is wrapped already"));
	if (!s->obstacle && begins_function(line, "reload_pre"))
		return hinder(s, strdup("it has reload_pre() of its own"));
	return 0;
}

int initscript_add(struct initscript *s, const char *text, size_t len, bool is_script) {
	_cleanup_free_ char *copy = strndup(text, len);
	char *rest = copy, *line;
	int r = 0;

	if (!copy)
		return -ENOMEM;
	if (strlen(copy) != len)
		return -EBADMSG;
	for (bool is_first = is_script; r == 0 && (line = strsep(&rest, "\n"));
	     is_first = false) {
		if (is_first && !strstr(line, "openrc-run") && !strstr(line, "runscript"))
			return hinder(
				s,
				strdup("OpenRC only calls it, it is not written for it"));
		r = add_line(s, line + strspn(line, BLANKS));
	}
	s->is_whole = s->is_whole || (is_script && !s->has_command);
	return r;
}

void initscript_done(struct initscript *s) {
	free(s->obstacle);
	s->obstacle = NULL;
}

/* --- writing: SELF and NAME stand for the two --- */

#define OPENRC_RELOAD                                                             \
	"# If this fails, so does the reload, and the service is not told.\n"     \
	"reload_pre() {\n"                                                        \
	"	extmerge_pid=$(service_get_value child_pid)\n"                          \
	"	if [ -z \"$extmerge_pid\" ] && [ -n \"$pidfile\" ]; then\n"             \
	"		read -r extmerge_pid _ <\"$pidfile\"\n"                                \
	"	fi\n"                                                                   \
	"	SELF refresh --service=NAME ${extmerge_pid:+\"--pid=$extmerge_pid\"}\n" \
	"}\n"

/* The command runs as root, as the merge needs that; user and group are those of the command after it. */
static const char openrc_text[] =
	"start_pre() {\n"
	"	if [ -n \"$chroot$capabilities\" ]; then\n"
	"		eerror \"extmerge: chroot= and capabilities= are for a command that OpenRC starts itself\"\n"
	"		return 1\n"
	"	fi\n"
	"	extmerge_command=$command\n"
	"	command_args=\"run --service=NAME -- ${command_user:+/usr/bin/setpriv "
	"--reuid=${command_user%%:*} --regid=$(extmerge_group) --init-groups --} $command $command_args\"\n"
	"	command=SELF\n"
	"	unset command_user\n"
	"}\n"
	"extmerge_group() {\n"
	"	case $command_user in\n"
	"	*:*) echo \"${command_user#*:}\" ;;\n"
	"	?*) id -g \"$command_user\" ;;\n"
	"	esac\n"
	"}\n"
	"# By this OpenRC knows the process when it is to stop it.\n"
	"start_post() {\n"
	"	service_set_value command \"$extmerge_command\"\n"
	"}\n" OPENRC_RELOAD;

/* What it does is not known: so the shell that is to start it begins anew within the namespace, as the same process. */
static const char openrc_whole_text[] =
	"case $EXTMERGE_STARTS$(tr '\\0' ' ' <\"/proc/$$/cmdline\") in\n"
	"yes*) ;;\n"
	"*\" start \") EXTMERGE_STARTS=yes exec SELF run --service=NAME -- \"$0\" \"$RC_SERVICE\" start ;;\n"
	"esac\n"
	"unset EXTMERGE_STARTS\n" OPENRC_RELOAD;
/* The old run does all it did, within the namespace: environment, user, limits. */
#define WRAP_RUN(own)                                 \
	"[ -e " own " ] || ln run " own "\n"          \
	"chmod 755 " own "\n"                         \
	"cat >run.new <<'END'\n"                      \
	"#!/bin/sh\n"                                 \
	"exec SELF run --service=NAME -- ./" own "\n" \
	"END\n"                                       \
	"chmod 755 run.new\n"                         \
	"mv run.new run\n"

static const char runit_text[] =
	"set -e\n"
	"cd \"${1:-/etc/sv/NAME}\"\n"
	"if [ -e control/h ] && ! grep -q 'SELF' control/h; then\n"
	"	echo \"control/h is there already\" >&2\n"
	"	exit 1\n"
	"fi\n" WRAP_RUN(
		"run.own") "mkdir -p control\n"
			   "cat >control/h.new <<'END'\n"
			   "#!/bin/sh\n"
			   "# runsv sends SIGHUP only if this fails: so the service is told only if the refresh has not failed.\n"
			   "! { read -r pid <supervise/pid && SELF refresh --service=NAME --pid=\"$pid\"; }\n"
			   "END\n"
			   "chmod 755 control/h.new\n"
			   "mv control/h.new control/h\n";

/* s6-rc takes over nothing from a service's definition but what it knows, and the directory "data". */
static const char s6_text[] =
	"set -e\n"
	"cd \"${1:-/etc/s6/sv/NAME}\"\n"
	"mkdir -p data\n" WRAP_RUN(
		"data/run.own") "# s6 asks nobody before it sends a signal: to reload, run this in place of s6-svc -h.\n"
				"cat >data/reload.new <<'END'\n"
				"#!/bin/sh\n"
				"place=${1:-/run/service/NAME}\n"
				"pid=$(s6-svstat -o pid \"$place\") || exit\n"
				"SELF refresh --service=NAME --pid=\"$pid\" && exec s6-svc -h \"$place\"\n"
				"END\n"
				"chmod 755 data/reload.new\n"
				"mv data/reload.new data/reload\n";

static const struct {
	const char *place, *text;
} inits[] = {
	[INIT_SYSTEMD] = { NULL, NULL },
	[INIT_OPENRC] = { "# The end of /etc/conf.d/NAME; then: rc-service NAME restart\n",
			  openrc_text },
	[INIT_RUNIT] = { "# For sh, with the service's directory if it is another one; then: sv restart NAME\n",
			 runit_text },
	[INIT_S6] = { "# For sh, with the service's directory (that of s6-rc's source, if it has one, to be compiled then) if it is another one; then: s6-svc -r /run/service/NAME\n",
		      s6_text },
};

/* `from`, with `to` wherever it has `word`. */
static char *replace(const char *from, const char *word, const char *to) {
	char *text = strdup("");

	while (text && *from) {
		const char *at = strstr(from, word);
		char *longer = text_format("%s%.*s%s", text,
					   (int)(at ? (size_t)(at - from) : strlen(from)),
					   from, at ? to : "");

		free(text);
		text = longer;
		from = at ? at + strlen(word) : "";
	}
	return text;
}

char *initscript_print(enum init i, const char *name, const char *self, bool is_whole) {
	_cleanup_free_ char *text = text_format(
		"%s# The service sees the extensions in confexts.d/NAME and extensions.d/NAME, see extmerge(8).\n%s",
		inits[i].place,
		i == INIT_OPENRC && is_whole ? openrc_whole_text : inits[i].text);
	_cleanup_free_ char *called = text ? replace(text, "SELF", self) : NULL;

	return called ? replace(called, "NAME", name) : NULL;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a unit file of systemd says, and the drop-in that wraps its command. */
#include "unitfile.h"

#include <stddef.h>
#include <string.h>

#include "strv.h"
#include "text.h"

#define BLANKS " \t\r"
#define SETPRIV "/usr/bin/setpriv"
#define SYSTEMCTL "/usr/bin/systemctl"

/* --- reading --- */

static char *trim(char *text) {
	size_t len;

	text += strspn(text, BLANKS);
	len = strlen(text);
	while (len > 0 && strchr(BLANKS, text[len - 1]))
		text[--len] = '\0';
	return text;
}

static int replace(char **to, const char *value) {
	char *copy = *value ? strdup(value) : NULL;

	if (*value && !copy)
		return -ENOMEM;
	free(*to);
	*to = copy;
	return 0;
}

static int extend(char ***list, const char *value) {
	if (*value)
		return strv_append(list, value);
	strv_free(*list);
	*list = NULL;
	return 0;
}

static bool is_yes(const char *value) {
	static const char *const words[] = { "1", "yes", "y", "true", "t", "on" };

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strcasecmp(value, words[i]) == 0)
			return true;
	return false;
}

/* dropin.4. What is switched off again by a later file is not remembered as such: better refused than wrong. */
static int note_obstacle(struct unitfile *u, const char *key, const char *value) {
	static const char *const settings[] = { "RootDirectory", "RootImage",
						"AmbientCapabilities",
						"CapabilityBoundingSet",
						"SupplementaryGroups" };
	static const char *const switches[] = { "DynamicUser", "PrivateUsers" };
	bool is_one = false;

	for (size_t i = 0; i < ARRAY_SIZE(settings); i++)
		is_one |= strcmp(key, settings[i]) == 0 && *value;
	for (size_t i = 0; i < ARRAY_SIZE(switches); i++)
		is_one |= strcmp(key, switches[i]) == 0 && is_yes(value);
	if (!is_one || u->obstacle)
		return 0;
	u->obstacle = text_format("%s=%s", key, value);
	return u->obstacle ? 0 : -ENOMEM;
}

static int take(struct unitfile *u, const char *key, const char *value) {
	if (strcmp(key, "ExecStart") == 0)
		return extend(&u->start, value);
	if (strcmp(key, "ExecReload") == 0)
		return extend(&u->reload, value);
	if (strcmp(key, "Type") == 0)
		return replace(&u->type, value);
	if (strcmp(key, "User") == 0)
		return replace(&u->user, value);
	if (strcmp(key, "Group") == 0)
		return replace(&u->group, value);
	if (strcmp(key, "ReloadSignal") == 0)
		return replace(&u->reload_signal, value);
	return note_obstacle(u, key, value);
}

/* A backslash at the end of a line stands for a blank; comments in between are left out. */
static void join_lines(char *text) {
	char *to = text;

	for (char *line = text; line && *line;) {
		char *end = strchr(line, '\n'), *next = end ? end + 1 : NULL;
		size_t len = end ? (size_t)(end - line) : strlen(line);
		bool is_continued = len > 0 && line[len - 1] == '\\';
		bool is_comment = line[strspn(line, BLANKS)] == '#' ||
				  line[strspn(line, BLANKS)] == ';';

		if (!is_comment) {
			memmove(to, line, len);
			to += len;
			if (is_continued)
				to[-1] = ' ';
			else if (next)
				*to++ = '\n';
		}
		line = next;
	}
	*to = '\0';
}

static int take_line(struct unitfile *u, char *line, bool *is_inside) {
	char *equals;

	line = trim(line);
	if (*line == '[') {
		*is_inside = strcmp(line, "[Service]") == 0;
		return 0;
	}
	equals = strchr(line, '=');
	if (!*is_inside || !equals)
		return 0;
	*equals = '\0';
	return take(u, trim(line), trim(equals + 1));
}

int unitfile_add(struct unitfile *u, const char *text, size_t len) {
	_cleanup_free_ char *copy = NULL;
	bool is_inside = false;
	int r = 0;

	if (memchr(text, '\0', len))
		return -EBADMSG;
	copy = strndup(text, len);
	if (!copy)
		return -ENOMEM;
	join_lines(copy);
	for (char *line = copy, *next; r == 0 && line; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		r = take_line(u, line, &is_inside);
	}
	return r;
}

void unitfile_done(struct unitfile *u) {
	strv_free(u->start);
	strv_free(u->reload);
	free(u->type);
	free(u->user);
	free(u->group);
	free(u->reload_signal);
	free(u->obstacle);
	*u = (struct unitfile){ 0 };
}

/* --- wrapping --- */

/* systemd.service(5), special executable prefixes. */
static size_t prefix_length(const char *command) {
	return strspn(command, "@-:+!|");
}

static char *find_obstacle(const struct unitfile *u) {
	if (!u->start)
		return strdup("it has no ExecStart=");
	if (u->obstacle)
		return text_format(
			"it has %s, which needs a command that systemd starts itself",
			u->obstacle);
	if (u->user && !u->group)
		return text_format("it has User=%s without Group=", u->user);
	for (char **command = u->start; *command; command++) {
		if (memchr(*command, '@', prefix_length(*command)))
			return strdup("ExecStart=@ gives the command another name");
		if (strstr(*command, " run --service="))
			return strdup("its ExecStart= is wrapped already");
	}
	return NULL;
}

/* dropin.2: root is needed for the merge, so the command itself becomes the user. */
static int add_start(const struct unitfile *u, const char *name, const char *self,
		     const char *command, char **text) {
	size_t n = prefix_length(command);
	bool is_raised = memchr(command, '!', n) || memchr(command, '+', n);
	_cleanup_free_ char *drop =
		u->user ? text_format(SETPRIV " --reuid=%s --regid=%s --init-groups -- ",
				      u->user, u->group)
			: strdup("");
	char *longer =
		drop ? text_format("%sExecStart=%.*s%s%s run --service=%s -- %s%s\n",
				   *text, (int)n, command,
				   u->user && !is_raised ? "!" : "", self, name,
				   is_raised ? "" : drop, command + n)
		     : NULL;

	free(*text);
	*text = longer;
	return longer ? 0 : -ENOMEM;
}

static int add_line(char **text, const char *key, const char *value) {
	char *longer = text_format("%s%s=%s\n", *text, key, value);

	free(*text);
	*text = longer;
	return longer ? 0 : -ENOMEM;
}

/* As signals are named or numbered, and nothing else. */
static const char *signal_of(const struct unitfile *u) {
	const char *s = u->reload_signal;

	return s && s[strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-")] == '\0'
		       ? s
		       : "SIGHUP";
}

/*
 * With Type=notify-reload systemd sends a signal: 262 after ExecReload=, 257 before it, and so too early. Then another one is
 * needed; which does no harm where it is one too many.
 */
static int add_signal(const struct unitfile *u, char **text) {
	_cleanup_free_ char *command = NULL;

	if (!u->type || strcmp(u->type, "notify-reload") != 0)
		return 0;
	command = text_format("+" SYSTEMCTL " kill --kill-whom=main --signal=%s %%n",
			      signal_of(u));
	return command ? add_line(text, "ExecReload", command) : -ENOMEM;
}

/*
 * dropin.3: the trees first, then whatever told the service before. As a part of a word, systemd replaces a variable in
 * braces only.
 */
static int add_reloads(const struct unitfile *u, const char *name, const char *self,
		       char **text) {
	_cleanup_free_ char *first =
		text_format("+%s refresh --service=%s --pid=${MAINPID}", self, name);
	int r = first ? add_line(text, "ExecReload", "") : -ENOMEM;

	if (r == 0)
		r = add_line(text, "ExecReload", first);
	for (char **command = u->reload; r == 0 && command && *command; command++)
		r = add_line(text, "ExecReload", *command);
	return r < 0 ? r : add_signal(u, text);
}

int unitfile_wrap(const struct unitfile *u, const char *name, const char *self,
		  char **ret, char **ret_why) {
	_cleanup_free_ char *text = strdup("[Service]\nExecStart=\n");
	/* An instance's name is known when it is started. */
	const char *shown = strchr(name, '@') ? "%N" : name;
	int r = text ? 0 : -ENOMEM;

	*ret_why = find_obstacle(u);
	if (*ret_why)
		return -EOPNOTSUPP;
	for (char **command = u->start; r == 0 && *command; command++)
		r = add_start(u, shown, self, *command, &text);
	if (r == 0)
		r = add_reloads(u, shown, self, &text);
	if (r == 0)
		*ret = TAKE_PTR(text);
	return r;
}

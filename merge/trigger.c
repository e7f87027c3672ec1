/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What of a layer somebody has to be told about. */
#include "trigger.h"

#include <ctype.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <string.h>

#include "file.h"
#include "strv.h"
#include "text.h"

/* More entries than these in one directory are not looked at: then it counts as touched. */
#define ENTRIES_MAX 10000

/* hook.1. A '*' in the last part of a directory stands for all directories of that kind beside each other. */
static const struct row {
	enum trigger trigger;
	const char *hierarchy, *directory, *pattern;
} rows[] = {
	{ TRIGGER_LIBRARIES, "usr", "lib", "*.so*" },
	{ TRIGGER_LIBRARIES, "usr", "lib32", "*.so*" },
	{ TRIGGER_LIBRARIES, "usr", "lib64", "*.so*" },
	{ TRIGGER_LIBRARIES, "usr", "libx32", "*.so*" },
	{ TRIGGER_LIBRARIES, "usr", "local/lib", "*.so*" },
	{ TRIGGER_LIBRARIES, "usr", "local/lib64", "*.so*" },
	{ TRIGGER_LIBRARIES, "usr", "lib/*-linux-*", "*.so*" },
	{ TRIGGER_LIBRARIES, "etc", "ld.so.conf.d", "*.conf" },
	{ TRIGGER_USERS, "usr", "lib/sysusers.d", "*.conf" },
	{ TRIGGER_USERS, "etc", "sysusers.d", "*.conf" },
	{ TRIGGER_MODULES, "usr", "lib/modules-load.d", "*.conf" },
	{ TRIGGER_MODULES, "etc", "modules-load.d", "*.conf" },
	{ TRIGGER_SYSCTL, "usr", "lib/sysctl.d", "*.conf" },
	{ TRIGGER_SYSCTL, "etc", "sysctl.d", "*.conf" },
	{ TRIGGER_TMPFILES, "usr", "lib/tmpfiles.d", "*.conf" },
	{ TRIGGER_TMPFILES, "etc", "tmpfiles.d", "*.conf" },
	{ TRIGGER_UDEV, "usr", "lib/udev/rules.d", "*.rules" },
	{ TRIGGER_UDEV, "etc", "udev/rules.d", "*.rules" },
	{ TRIGGER_BUS, "usr", "share/dbus-1/system.d", "*.conf" },
	{ TRIGGER_BUS, "usr", "share/dbus-1/system-services", "*.service" },
	{ TRIGGER_BUS, "etc", "dbus-1/system.d", "*.conf" },
	{ TRIGGER_UNITS, "usr", "lib/systemd/system", "*" },
	{ TRIGGER_UNITS, "etc", "systemd/system", "*" },
};

static const char *const words[TRIGGER_COUNT] = {
	[TRIGGER_LIBRARIES] = "libraries",
	[TRIGGER_USERS] = "users",
	[TRIGGER_MODULES] = "modules",
	[TRIGGER_SYSCTL] = "sysctl",
	[TRIGGER_TMPFILES] = "tmpfiles",
	[TRIGGER_UDEV] = "udev",
	[TRIGGER_BUS] = "bus",
	[TRIGGER_UNITS] = "units",
	[TRIGGER_MANAGER] = "manager",
};

/* The names in a directory that match; an empty list where there is none. 0 or a negative errno. */
static int list_matching(int fd, const char *directory, const char *pattern, char ***ret) {
	_cleanup_close_ int at = file_open_exact(fd, directory, O_RDONLY | O_DIRECTORY);
	_cleanup_strv_ char **all = NULL;
	int r;

	if (at < 0)
		return at == -ENOMEM ? at : 0;
	r = file_list(at, ENTRIES_MAX, &all);
	for (char **name = all; r == 0 && name && *name; name++)
		if (fnmatch(pattern, *name, FNM_PERIOD) == 0)
			r = strv_append(ret, *name);
	return r;
}

/* The directories that the row speaks of: one, or all that match its last part. */
static int list_directories(int fd, const struct row *row, char ***ret) {
	const char *last = strrchr(row->directory, '/');
	_cleanup_strv_ char **names = NULL;
	_cleanup_free_ char *parent = NULL;
	int r;

	if (!strchr(row->directory, '*'))
		return strv_append(ret, row->directory);
	parent = strndup(row->directory, (size_t)(last - row->directory));
	if (!parent)
		return -ENOMEM;
	r = list_matching(fd, parent, last + 1, &names);
	for (char **name = names; r == 0 && name && *name; name++) {
		_cleanup_free_ char *path = text_format("%s/%s", parent, *name);

		r = path ? strv_append(ret, path) : -ENOMEM;
	}
	return r;
}

/* The files that the row speaks of. 0 or a negative errno. */
static int list_files(int fd, const struct row *row, char ***ret) {
	_cleanup_strv_ char **directories = NULL;
	int r = list_directories(fd, row, &directories);

	for (char **d = directories; r == 0 && d && *d; d++)
		r = list_matching(fd, *d, row->pattern, ret);
	return r;
}

unsigned trigger_look(int fd, const char *hierarchy) {
	unsigned bits = 0;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_strv_ char **names = NULL;

		if ((bits & TRIGGER_BIT(rows[i].trigger)) ||
		    strcmp(rows[i].hierarchy, hierarchy) != 0)
			continue;
		if (list_files(fd, &rows[i], &names) == -E2BIG || names)
			bits |= TRIGGER_BIT(rows[i].trigger);
	}
	return bits;
}

bool trigger_is_name(const char *name) {
	for (const char *s = name; *s; s++)
		if (!isalnum((unsigned char)*s) && !strchr("_.@:+-", *s))
			return false;
	return *name != '-' && *name != '.' && *name != '\0';
}

int trigger_names(int fd, const char *hierarchy, enum trigger t, char ***names) {
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(rows); i++) {
		_cleanup_strv_ char **found = NULL;

		if (rows[i].trigger != t || strcmp(rows[i].hierarchy, hierarchy) != 0)
			continue;
		if (list_files(fd, &rows[i], &found) == -ENOMEM)
			return -ENOMEM;
		for (char **name = found; r == 0 && name && *name; name++)
			if (trigger_is_name(*name) && !strv_contains(*names, *name))
				r = strv_append(names, *name);
	}
	return r;
}

char *trigger_words(unsigned bits) {
	const char *chosen[TRIGGER_COUNT];
	char *text = NULL;

	for (size_t t = 0; t < TRIGGER_COUNT; t++)
		chosen[t] = bits & TRIGGER_BIT(t) ? words[t] : NULL;
	if (text_join(" ", chosen, TRIGGER_COUNT, &text) < 0)
		return NULL;
	return text ?: strdup("");
}

unsigned trigger_from_words(const char *text) {
	unsigned bits = 0;

	while (text && *text) {
		size_t n = strcspn(text, " ");

		for (size_t t = 0; t < TRIGGER_COUNT; t++)
			if (strlen(words[t]) == n && strncmp(words[t], text, n) == 0)
				bits |= TRIGGER_BIT(t);
		text += n;
		text += strspn(text, " ");
	}
	return bits;
}

const char *trigger_word(enum trigger t) {
	return words[t];
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Splits at commas, then the value of lowerdir at colons; a backslash takes either for itself. */
#include "mountopts.h"

#include <string.h>
#include <sys/mount.h>

#include "../merge/kernel.h"
#include "../merge/strv.h"
#include "../merge/text.h"
#include "request.h"

void mountopts_done(struct mountopts *o) {
	strv_free(o->layers);
	free(o->upper);
	free(o->work);
	*o = (struct mountopts){ .layers = NULL };
}

/* The end of the part that begins here: an `end` that is not escaped, or the NUL. */
static char *part_end(char *p, char end) {
	for (; *p && *p != end; p++)
		if (*p == '\\' && p[1])
			p++;
	return p;
}

static void unescape(char *p) {
	char *out = p;

	for (; *p; p++) {
		if (*p == '\\' && p[1])
			p++;
		*out++ = *p;
	}
	*out = '\0';
}

static int refuse(char ret_why[static MOUNTOPTS_WHY_MAX], const char *option,
		  const char *why) {
	_cleanup_free_ char *shown = text_escape(option);

	snprintf(ret_why, MOUNTOPTS_WHY_MAX, "'%.150s': %s", shown ?: "?", why);
	return -EINVAL;
}

static int add_layer(struct mountopts *o, char *path,
		     char ret_why[static MOUNTOPTS_WHY_MAX]) {
	if (!*path)
		return refuse(ret_why, "lowerdir", "a path is empty");
	unescape(path);
	return strv_append(&o->layers, path);
}

static int take_lowerdir(struct mountopts *o, char *value,
			 char ret_why[static MOUNTOPTS_WHY_MAX]) {
	int r = 0;

	for (bool more = true; r == 0 && more;) {
		char *end = part_end(value, ':');

		more = *end != '\0';
		*end = '\0';
		r = add_layer(o, value, ret_why);
		value = end + 1;
	}
	return r;
}

/* What the union does anyway, or more than that, what mount(8) adds, and what only it understands. */
static const char *const harmless[] = {
	"defaults",
	"async",
	"auto",
	"noauto",
	"user",
	"nouser",
	"users",
	"group",
	"owner",
	"nofail",
	"silent",
	"loud",
	"_netdev",
	"_rnetdev",
	"allow_other",
	"user_id=0",
	"group_id=0",
	"relatime",
	"norelatime",
	"nostrictatime",
	"lazytime",
	"nolazytime",
	"noiversion",
	"nomand",
	"default_permissions",
	"override_creds",
	"redirect_dir=off",
	"redirect_dir=nofollow",
	"metacopy=off",
	"index=off",
	"nfs_export=off",
	"verity=off",
	"xino=on",
	"xino=off",
	"xino=auto",
	"uuid=on",
	"uuid=off",
	"uuid=auto",
	"uuid=null",
	"volatile",
	"fsync=volatile",
	"fsync=auto",
	"fsync=strict",
	NULL,
};

/* What mount(8) and others keep in the list of options for themselves. */
static const char *const notes[] = { "x-",    "X-",	  "comment=",
				     "user=", "uhelper=", "helper=" };

/* What overlayfs and mount(8) have in other values, or at all, and the union has not. */
static const struct {
	const char *begin, *why;
} missing[] = {
	{ "redirect_dir=", "redirects are neither followed nor made" },
	{ "metacopy=", "a file is copied with its data" },
	{ "index=", "of a file with several names each is copied for itself" },
	{ "nfs_export=", "there is no index, which it needs" },
	{ "verity=", "data are never looked for in another layer" },
	{ "datadir+=", "data are never looked for in another layer" },
	{ "xino=", "it is on, off or auto" },
	{ "nooverride_creds", "layers are read with the rights of the server" },
	{ "context=", "labels cannot be chosen" },
	{ "fscontext=", "labels cannot be chosen" },
	{ "defcontext=", "labels cannot be chosen" },
	{ "rootcontext=", "labels cannot be chosen" },
	{ "strictatime", "reading changes no times" },
	{ "sync", "only fsync(2) waits for the disk" },
	{ "dirsync", "only fsync(2) waits for the disk" },
};

static const struct {
	const char *word;
	uint64_t attribute;
	bool set;
} attributes[] = {
	{ "ro", MOUNT_ATTR_RDONLY, true },
	{ "rw", MOUNT_ATTR_RDONLY, false },
	{ "nosuid", MOUNT_ATTR_NOSUID, true },
	{ "suid", MOUNT_ATTR_NOSUID, false },
	{ "nodev", MOUNT_ATTR_NODEV, true },
	{ "dev", MOUNT_ATTR_NODEV, false },
	{ "noexec", MOUNT_ATTR_NOEXEC, true },
	{ "exec", MOUNT_ATTR_NOEXEC, false },
	{ "nosymfollow", MOUNT_ATTR_NOSYMFOLLOW, true },
	{ "symfollow", MOUNT_ATTR_NOSYMFOLLOW, false },
	{ "noatime", MOUNT_ATTR_NOATIME, true },
	{ "atime", MOUNT_ATTR_NOATIME, false },
	{ "nodiratime", MOUNT_ATTR_NODIRATIME, true },
	{ "diratime", MOUNT_ATTR_NODIRATIME, false },
};

static bool take_attribute(struct mountopts *o, const char *word) {
	for (size_t i = 0; i < ARRAY_SIZE(attributes); i++) {
		if (strcmp(word, attributes[i].word) != 0)
			continue;
		if (attributes[i].set)
			o->attributes |= attributes[i].attribute;
		else
			o->attributes &= ~attributes[i].attribute;
		return true;
	}
	return false;
}

static bool begins(const char *text, const char *with) {
	return strncmp(text, with, strlen(with)) == 0;
}

static int take_io(struct mountopts *o, const char *option,
		   char ret_why[static MOUNTOPTS_WHY_MAX]) {
	const char *word = option + strlen("io=");

	if (union_io_parse(word, strlen(word), &o->io) < 0)
		return refuse(ret_why, option, "it is auto, passthrough or cached");
	return 0;
}

/* Of one path no colon is the end. */
static int take_path(char **path, char *option, const char *name,
		     char ret_why[static MOUNTOPTS_WHY_MAX]) {
	char *value = option + strlen(name) + 1;

	if (!*value)
		return refuse(ret_why, name, "a path is empty");
	unescape(value);
	free(*path);
	*path = strdup(value);
	return *path ? 0 : -ENOMEM;
}

static int take_grafts(struct mountopts *o, const char *option,
		       char ret_why[static MOUNTOPTS_WHY_MAX]) {
	const char *text = option + strlen("grafts=");
	uint64_t n;

	if (!request_number(&text, '\0', &n) || n > MOUNTOPTS_GRAFTS_MAX)
		return refuse(ret_why, option, "it is a number up to 16");
	o->grafts = (unsigned)n;
	return 0;
}

static bool is_note(const char *option) {
	for (size_t i = 0; i < ARRAY_SIZE(notes); i++)
		if (begins(option, notes[i]))
			return true;
	return false;
}

static const char *why_missing(const char *option) {
	for (size_t i = 0; i < ARRAY_SIZE(missing); i++)
		if (begins(option, missing[i].begin))
			return missing[i].why;
	return "there is no such option";
}

static int take(struct mountopts *o, char *option,
		char ret_why[static MOUNTOPTS_WHY_MAX]) {
	if (begins(option, "lowerdir="))
		return o->layers
			       ? refuse(ret_why, "lowerdir", "there are layers already")
			       : take_lowerdir(o, option + strlen("lowerdir="), ret_why);
	if (begins(option, "lowerdir+="))
		return add_layer(o, option + strlen("lowerdir+="), ret_why);
	if (begins(option, "upperdir="))
		return take_path(&o->upper, option, "upperdir", ret_why);
	if (begins(option, "workdir="))
		return take_path(&o->work, option, "workdir", ret_why);
	if (strcmp(option, "userxattr") == 0) {
		o->space = WHITEOUT_USER;
		return 0;
	}
	if (begins(option, "io="))
		return take_io(o, option, ret_why);
	if (begins(option, "grafts="))
		return take_grafts(o, option, ret_why);
	if (strcmp(option, "remount") == 0) {
		o->remount = true;
		return 0;
	}
	if (!*option || is_note(option) || strv_contains((char **)harmless, option) ||
	    take_attribute(o, option))
		return 0;
	return refuse(ret_why, option, why_missing(option));
}

int mountopts_parse(const char *text, struct mountopts *o,
		    char ret_why[static MOUNTOPTS_WHY_MAX]) {
	_cleanup_free_ char *copy = strdup(text);
	int r = 0;

	if (!copy)
		return -ENOMEM;
	ret_why[0] = '\0';
	for (char *p = copy, *end; r == 0; p = end + 1) {
		bool more;

		end = part_end(p, ',');
		more = *end != '\0';
		*end = '\0';
		r = take(o, p, ret_why);
		if (!more)
			break;
	}
	return r;
}

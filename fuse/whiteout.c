/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Names and values of overlayfs' attributes. */
#include "whiteout.h"

#include <string.h>
#include <sys/sysmacros.h>

static const struct {
	const char *prefix, *escaped;
	const char *marks[WHITEOUT_MARK_METACOPY + 1];
} spaces[] = {
#define SPACE(p)                                                                        \
	{                                                                               \
		p "overlay.", p "overlay.overlay.", {                                   \
			p "overlay.opaque", p "overlay.whiteout", p "overlay.redirect", \
				p "overlay.metacopy",                                   \
		}                                                                       \
	}
	[WHITEOUT_TRUSTED] = SPACE("trusted."),
	[WHITEOUT_USER] = SPACE("user."),
};

const char *whiteout_xattr(enum whiteout_space space, enum whiteout_mark mark) {
	return spaces[space].marks[mark];
}

bool whiteout_is_device(const struct stat *st) {
	return S_ISCHR(st->st_mode) && st->st_rdev == makedev(0, 0);
}

enum whiteout_opaque whiteout_opaque(const char *value, size_t len) {
	if (len != 1)
		return WHITEOUT_MERGES;
	if (value[0] == 'y')
		return WHITEOUT_HIDES;
	return value[0] == 'x' ? WHITEOUT_HAS_WHITEOUTS : WHITEOUT_MERGES;
}

static bool begins(const char *text, const char *with) {
	return strncmp(text, with, strlen(with)) == 0;
}

const char *whiteout_to_layer(enum whiteout_space space, const char *name,
			      char buffer[static WHITEOUT_NAME_MAX]) {
	const char *prefix = spaces[space].prefix;
	int n;

	if (!begins(name, prefix))
		return name;
	n = snprintf(buffer, WHITEOUT_NAME_MAX, "%s%s", spaces[space].escaped,
		     name + strlen(prefix));
	return n < WHITEOUT_NAME_MAX ? buffer : NULL;
}

size_t whiteout_filter_list(enum whiteout_space space, char *list, size_t len) {
	const char *prefix = spaces[space].prefix, *escaped = spaces[space].escaped;
	char *out = list;

	for (char *p = list, *end = list + len; p < end;) {
		size_t n = strnlen(p, (size_t)(end - p)) + 1;
		char *next = p + n;

		if (next > end)
			break; /* no NUL: not what the kernel writes */
		if (begins(p, escaped)) {
			size_t tail = n - strlen(escaped), head = strlen(prefix);

			memcpy(out, prefix, head);
			memmove(out + head, p + strlen(escaped), tail);
			out += head + tail;
		} else if (!begins(p, prefix)) {
			memmove(out, p, n);
			out += n;
		}
		p = next;
	}
	return (size_t)(out - list);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a tree of systemd-sysext says is in it. */
#include "peernames.h"

#include <string.h>

#include "strv.h"

int peernames_parse(const char *text, size_t len, char ***ret) {
	_cleanup_strv_ char **names = NULL;
	_cleanup_free_ char *copy = strndup(text, len);
	char *rest = copy, *line;
	int r = 0;

	if (!copy)
		return -ENOMEM;
	if (strlen(copy) != len)
		return -EBADMSG;
	while (r == 0 && (line = strsep(&rest, "\n"))) {
		if (*line == '\0')
			continue;
		r = strchr(line, '/') ? -EBADMSG : strv_append(&names, line);
	}
	if (r == 0 && !names)
		r = -EBADMSG;
	if (r == 0)
		*ret = TAKE_PTR(names);
	return r;
}

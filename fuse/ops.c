/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Answers about extended attributes. */
#define FUSE_USE_VERSION 35
#include "ops.h"

#include <string.h>

void reply_xattr(fuse_req_t request, const char *value, ssize_t n, size_t size) {
	if (n < 0)
		reply(request, (int)n);
	else if (size == 0)
		fuse_reply_xattr(request, (size_t)n);
	else if ((size_t)n > size)
		fuse_reply_err(request, ERANGE);
	else
		fuse_reply_buf(request, value, (size_t)n);
}

/* Only the privileged see that there are names of "trusted.". */
static size_t hide_trusted(char *list, size_t n) {
	static const char prefix[] = "trusted.";
	char *out = list;

	for (char *p = list, *end = list + n; p < end;) {
		size_t length = strlen(p) + 1;

		if (strncmp(p, prefix, sizeof(prefix) - 1) != 0) {
			memmove(out, p, length);
			out += length;
		}
		p += length;
	}
	return (size_t)(out - list);
}

void reply_xattr_names(fuse_req_t request, char *list, ssize_t n, size_t size) {
	if (n > 0 && fuse_req_ctx(request)->uid != 0)
		n = (ssize_t)hide_trusted(list, (size_t)n);
	reply_xattr(request, list, n, size);
}

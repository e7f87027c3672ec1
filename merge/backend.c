/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What shows the layers as one tree. */
#include "backend.h"

#include <string.h>

static const char *const words[] = {
	[BACKEND_AUTO] = "auto",
	[BACKEND_OVERLAY] = "overlay",
	[BACKEND_FUSE] = "fuse",
};

int backend_from(const char *text, enum backend *ret) {
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strcmp(text, words[i]) == 0) {
			*ret = (enum backend)i;
			return 0;
		}
	return -EINVAL;
}

const char *backend_text(enum backend b) {
	return words[b];
}

bool backend_is_missing(int error) {
	switch (error) {
	case -ENODEV: /* the file system, or /dev/fuse */
	case -ENOSYS: /* the calls */
	case -EPERM:  /* by a security module, a filter, a user namespace */
	case -EACCES:
	case -EINVAL: /* overlayfs: too deep, or a file system that cannot be a layer */
	case -E2BIG:  /* overlayfs by mount(2): more layers than fit a page */
	case -EOPNOTSUPP: /* built without FUSE */
	case -ENOENT:	  /* the program extmerge-fuse */
		return true;
	default:
		return false;
	}
}

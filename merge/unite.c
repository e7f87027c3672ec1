/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A server of ours, extmerge-fuse, that shows the layers as one tree. */
#include "unite.h"

#include <string.h>

#include "../fuse/attach-union.h"
#include "module.h"
#include "process.h"

int unite_mount(const struct stacking *s, struct stacking_info *ret) {
	char why[ATTACH_WHY_MAX] = "";
	pid_t server = 0;
	const struct attach_upper upper = { s->upper ? s->upper->upper : -EBADF,
					    s->upper ? s->upper->work : -EBADF };
	const struct attach_union_options o = { .name = s->source,
						.source = s->source,
						.attributes = s->attributes,
						.upper = s->upper ? &upper : NULL,
						.ret_server = &server };
	_cleanup_close_ int fd = -EBADF;

	fd = attach_union(s->layers, (unsigned)s->n, &o, why);
	if (fd == -ENODEV && module_load("fuse") == 0)
		fd = attach_union(s->layers, (unsigned)s->n, &o, why);
	if (fd < 0) {
		ret->why = *why ? strdup(why) : NULL;
		return fd;
	}
	ret->by = "fd";
	ret->server = process_describe(server);
	return ret->server ? TAKE_FD(fd) : -ENOMEM;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A server of ours, extmerge-fuse, that shows the layers as one tree. */
#include "unite.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "../fuse/attach-union.h"
#include "../fuse/grafts.h"
#include "module.h"
#include "process.h"

static struct attach_union_options options_of(const struct stacking *s) {
	return (struct attach_union_options){ .name = s->source,
					      .source = s->source,
					      .attributes = s->attributes };
}

int unite_mount(const struct stacking *s, struct stacking_info *ret) {
	char why[ATTACH_WHY_MAX] = "";
	enum union_io io;
	pid_t server = 0;
	const struct attach_upper upper = { s->upper ? s->upper->upper : -EBADF,
					    s->upper ? s->upper->work : -EBADF };
	struct attach_union_options o = options_of(s);
	_cleanup_close_ int fd = -EBADF;

	o.upper = s->upper ? &upper : NULL;
	o.ret_server = &server;
	fd = attach_union(s->layers, (unsigned)s->n, &o, why);
	if (fd == -ENODEV && module_load("fuse") == 0)
		fd = attach_union(s->layers, (unsigned)s->n, &o, why);
	if (fd < 0) {
		ret->why = *why ? strdup(why) : NULL;
		return fd;
	}
	ret->by = "fd";
	ret->io = attach_union_io(fd, &io) == 0 ? union_io_name(io) : NULL;
	ret->server = process_describe(server);
	return ret->server ? TAKE_FD(fd) : -ENOMEM;
}

int unite_graft(const struct stacking *s, int tree, unsigned max, char ***ret,
		char ***ret_failed) {
	/* The search looks at directories from inside. */
	_cleanup_close_ int here = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	const struct attach_union_options o = options_of(s);
	int r = here < 0 ? -errno
			 : grafts_attach(tree, s->layers, (unsigned)s->n, &o, max, ret,
					 ret_failed);

	if (here >= 0 && fchdir(here) < 0)
		return -errno;
	return r == -ENOMEM ? r : 0;
}

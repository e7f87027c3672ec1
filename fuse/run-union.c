/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* extmerge-fuse union: the process that serves a union. */
#include <linux/capability.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include "fusermount.h"
#include "layers.h"
#include "process.h"
#include "request.h"
#include "run.h"
#include "serve-union.h"
#include "union-request.h"

/* Whether we were started as union-request.h says, and not by hand. */
static bool is_started_as_server(void) {
	struct stat fuse, ready;

	return fstat(REQUEST_FD_FUSE, &fuse) == 0 && S_ISCHR(fuse.st_mode) &&
	       fstat(REQUEST_FD_READY, &ready) == 0 && S_ISFIFO(ready.st_mode);
}

static int report_ready(void *userdata) {
	return process_ready(CONFINE_UNION);
}

/* union.14: to read whatever is in the layers, as overlayfs does, with the attributes that only it may see; union.21. */
#define BIT(capability) (UINT64_C(1) << (capability))
#define KEPT (BIT(CAP_DAC_READ_SEARCH) | BIT(CAP_SYS_ADMIN) | BIT(CAP_SYS_NICE))

/*
 * union.22: who has no more rights than any process of its user keeps nothing from these. A refresh finds the host's own
 * directory, which the mount covers, by the fds of this process.
 */
static void show_layers(void) {
	if (fusermount_is_needed())
		(void)prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
}

static int serve(const struct union_request *q) {
	_cleanup_(union_freep) struct union_tree *tree = NULL;
	_cleanup_(serve_union_freep) struct serve_union *serve = NULL;
	const char *what = "cannot use the layers";
	int fds[LAYERS_MAX], r;

	for (unsigned i = 0; i < q->n_layers; i++)
		fds[i] = REQUEST_FD_END + (int)i;
	r = union_new(fds, q->n_layers, q->space, &tree);
	if (r == 0) {
		what = q->io == UNION_IO_PASSTHROUGH ? "cannot serve by passthrough"
						     : "cannot begin to serve";
		r = serve_union_new(REQUEST_FD_FUSE, tree, q->threads, q->io, &serve);
	}
	if (r == 0 && q->enclosed)
		serve_union_enclose(serve);
	if (r == 0)
		r = process_confine(KEPT, &what);
	if (r < 0)
		return process_fail(REQUEST_FD_READY, r, what, strerror(-r));
	show_layers();
	r = serve_union_run(serve, report_ready, NULL);
	if (r < 0)
		_exit(EXIT_FAILURE); /* other threads may still be at work */
	return EXIT_SUCCESS;
}

int run_union(int argc, char **argv) {
	struct union_request q;
	const char *why;

	if (!is_started_as_server()) {
		fprintf(stderr,
			"extmerge-fuse: 'union' is started by those who hand it layers and a "
			"mount\n"
			"  hint: extmerge-fuse DIR -o lowerdir=A:B:C; see extmerge-fuse(8)\n");
		return EXIT_USAGE;
	}
	process_ignore_signals();
	if (union_request_parse(argc, argv, &q, &why) < 0)
		return process_fail(REQUEST_FD_READY, -EINVAL, "wrong arguments", why);
	return q.writes ? run_overlay(&q) : serve(&q);
}

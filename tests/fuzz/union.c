/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Any layers and any callers: the server of a union answers each request once, with sound answers, and shows nothing of
 * what lies beside the layers (specs: union.19).
 */
#include "fuse/serve-union.h"
#include "merge/base.h"
#include "peer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static int ready(void *userdata) {
	return 0;
}

static void serve(int fd, const int *layers, int tree) {
	_cleanup_(union_freep) struct union_tree *u = NULL;
	_cleanup_(serve_union_freep) struct serve_union *s = NULL;

	if (union_new(layers, PEER_LAYERS, WHITEOUT_USER, &u) < 0 ||
	    serve_union_new(fd, u, 1, UNION_IO_AUTO, &s) < 0)
		abort();
	serve_union_enclose(s);
	serve_union_run(s, ready, NULL);
}

static void request(struct peer *p) {
	if (peer_next(p, 20) == 0)
		peer_ask(p, FUSE_UNLINK, peer_node(p), peer_put_name(p, 0, peer_name(p)));
	else
		peer_read(p, true);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
	static const struct peer_target target = { PEER_LAYERS, serve, request,
						   NULL,	NULL,  true };

	peer_run(&target, data, len);
	return 0;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The process that serves a writable union. */
#include <linux/capability.h>
#include <linux/securebits.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "layers.h"
#include "process.h"
#include "run.h"
#include "serve-overlay.h"
#include "union-request.h"

#define FILES_MAX (1024 * 1024) /* the usual fs.nr_open */
#define BIT(capability) (UINT64_C(1) << (capability))

/*
 * overlay.14: to do whatever the kernel has allowed its caller, in the upper directory; of ids only those of the file
 * system can be changed, see the filter. Not CAP_SYS_RESOURCE, which would be above quotas. CAP_SYS_NICE is for union.21.
 */
#define KEPT                                                                     \
	(BIT(CAP_CHOWN) | BIT(CAP_DAC_OVERRIDE) | BIT(CAP_DAC_READ_SEARCH) |     \
	 BIT(CAP_FOWNER) | BIT(CAP_FSETID) | BIT(CAP_MKNOD) | BIT(CAP_SETFCAP) | \
	 BIT(CAP_SETGID) | BIT(CAP_SETUID) | BIT(CAP_SYS_ADMIN) | BIT(CAP_SYS_NICE))

static int report_ready(void *userdata) {
	return process_ready(CONFINE_OVERLAY);
}

/* While the file system's user is the caller, rights stay the server's. */
static int keep_rights(void) {
	unsigned long bits = SECBIT_NO_SETUID_FIXUP | SECBIT_NO_SETUID_FIXUP_LOCKED;

	return prctl(PR_SET_SECUREBITS, bits, 0, 0, 0) < 0 ? -errno : 0;
}

/* overlay.14: as many as the kernel lets root have; what it does not stays as it is. */
static void raise_limit(void) {
	const struct rlimit many = { FILES_MAX, FILES_MAX };

	setrlimit(RLIMIT_NOFILE, &many);
}

int run_overlay(const struct union_request *q) {
	_cleanup_(overlay_freep) struct overlay *overlay = NULL;
	_cleanup_(serve_overlay_freep) struct serve_overlay *serve = NULL;
	const int upper = REQUEST_FD_END + (int)q->n_layers;
	const char *what;
	int fds[LAYERS_MAX], r;

	for (unsigned i = 0; i < q->n_layers; i++)
		fds[i] = REQUEST_FD_END + (int)i;
	umask(0);
	raise_limit();
	r = overlay_new(fds, q->n_layers, q->space, upper, upper + 1, &overlay, &what);
	if (r == 0) {
		what = "cannot begin to serve";
		r = serve_overlay_new(REQUEST_FD_FUSE, overlay, q->threads, &serve);
	}
	if (r == 0 && q->enclosed)
		serve_overlay_enclose(serve);
	if (r == 0)
		r = keep_rights();
	if (r == 0)
		r = process_confine(KEPT, &what);
	if (r < 0)
		return process_fail(REQUEST_FD_READY, r, what, strerror(-r));
	r = serve_overlay_run(serve, report_ready, NULL);
	if (r < 0)
		_exit(EXIT_FAILURE); /* other threads may still be at work */
	return EXIT_SUCCESS;
}

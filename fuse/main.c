/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* extmerge-fuse: the server of what the kernel cannot mount by itself. */

#include <string.h>
#include <sys/stat.h>

#include "../merge/base.h"
#include "process.h"
#include "request.h"
#include "run.h"
#include "serve.h"

/* Whether we were started as request.h says, and not by hand. */
static bool is_started_by_extmerge(void) {
	struct stat fuse, data, hash, ready, log;

	return fstat(REQUEST_FD_FUSE, &fuse) == 0 && S_ISCHR(fuse.st_mode) &&
	       fstat(REQUEST_FD_DATA, &data) == 0 && fstat(REQUEST_FD_HASH, &hash) == 0 &&
	       fstat(REQUEST_FD_READY, &ready) == 0 && S_ISFIFO(ready.st_mode) &&
	       fstat(REQUEST_FD_LOG, &log) == 0;
}

static int report_ready(void *userdata) {
	return process_ready(CONFINE_IMAGE);
}

/* vfile.10: by now extmerge has read the superblock too, so what is refused here has changed since. */
static int serve_image(const struct request *q) {
	_cleanup_(complaints_freep) struct complaints *log = NULL;
	_cleanup_(verified_freep) struct verified *file = NULL;
	_cleanup_(serve_freep) struct serve *serve = NULL;
	const char *what = "cannot read the image", *why = NULL;
	int r = verified_new(&q->target, q->cache_bytes, &file, &why);

	if (r == 0)
		r = complaints_new(q->name, REQUEST_FD_LOG, &log);
	if (r == 0) {
		what = "cannot begin to serve";
		r = serve_new(REQUEST_FD_FUSE, file, log, q->threads, &serve);
	}
	/* Not before: what hashes is a library that is loaded when the first reader is made. */
	if (r == 0)
		r = process_confine(0, &what);
	if (r < 0)
		return process_fail(r, what, why ?: strerror(-r));
	r = serve_run(serve, report_ready, NULL);
	if (r < 0)
		_exit(EXIT_FAILURE); /* other threads may still be at work */
	return EXIT_SUCCESS;
}

static int run_image(int argc, char **argv) {
	const char *why = NULL;
	struct request q;

	if (!is_started_by_extmerge()) {
		fprintf(stderr,
			"extmerge-fuse: 'image' is started by extmerge, which hands it an "
			"image and a mount\n"
			"  hint: 'extmerge merge' does that where it is needed; see "
			"extmerge-fuse(8)\n");
		return EXIT_USAGE;
	}
	process_ignore_signals();
	if (request_parse(argc, argv, &q, &why) < 0)
		return process_fail(-EINVAL, "wrong arguments", why);
	return serve_image(&q);
}

static int run_help(int argc, char **argv) {
	printf("Usage: extmerge-fuse [SOURCE] DIR -o lowerdir=A:B:C[,OPTION...]\n"
	       "       extmerge-fuse image|union ARGUMENT...\n"
	       "Serves file systems that the kernel cannot mount by itself.\n"
	       "\n"
	       "Mounts on DIR the read-only union of directories, the first on top, as overlayfs\n"
	       "would show it; also: mount -t fuse.extmerge-fuse none DIR -o lowerdir=A:B:C\n"
	       "\n"
	       "Subcommands, which extmerge and extmerge-fuse start:\n"
	       "  image      the data of one image as a file, each block checked as it is read\n"
	       "  union      the union of directories\n"
	       "  --help     print this\n"
	       "  --version  print the version\n");
	return EXIT_SUCCESS;
}

static int run_version(int argc, char **argv) {
	printf("extmerge-fuse %s\n", PACKAGE_VERSION);
	return EXIT_SUCCESS;
}

static const struct {
	const char *name;
	int (*run)(int argc, char **argv); /* with what follows the name */
} subcommands[] = {
	{ "image", run_image }, { "union", run_union },	      { "--help", run_help },
	{ "-h", run_help },	{ "--version", run_version },
};

/* Everything that is no subcommand is what mount(8) would say. */
int main(int argc, char **argv) {
	for (size_t i = 0; argc > 1 && i < ARRAY_SIZE(subcommands); i++)
		if (strcmp(argv[1], subcommands[i].name) == 0)
			return subcommands[i].run(argc - 2, argv + 2);
	return run_mount(argc - 1, argv + 1);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* extmerge-fuse: the server of what the kernel cannot mount by itself. */

#include <signal.h>
#include <string.h>
#include <sys/stat.h>

#include "../merge/base.h"
#include "confine.h"
#include "request.h"
#include "serve.h"

enum { EXIT_USAGE = 2 };

/* Whether we were started as request.h says, and not by hand. */
static bool is_started_by_extmerge(void) {
	struct stat fuse, data, hash, ready, log;

	return fstat(REQUEST_FD_FUSE, &fuse) == 0 && S_ISCHR(fuse.st_mode) &&
	       fstat(REQUEST_FD_DATA, &data) == 0 && fstat(REQUEST_FD_HASH, &hash) == 0 &&
	       fstat(REQUEST_FD_READY, &ready) == 0 && S_ISFIFO(ready.st_mode) &&
	       fstat(REQUEST_FD_LOG, &log) == 0;
}

/* vfile.10: one byte with the errno, then the sentence. */
static int fail(int error, const char *what, const char *why) {
	dprintf(REQUEST_FD_READY, "%c%s: %s", -error, what, why);
	return EXIT_FAILURE;
}

/* What the connection means for those who read is not for a signal to end: it ends with its last user. */
static void ignore_signals(void) {
	static const int ignored[] = { SIGHUP, SIGINT, SIGTERM, SIGQUIT, SIGPIPE };

	for (size_t i = 0; i < ARRAY_SIZE(ignored); i++)
		signal(ignored[i], SIG_IGN);
}

static int confine(const char **ret_what) {
	int r;

	confine_memory();
	*ret_what = "cannot leave the caller's mounts";
	r = confine_to_nothing();
	if (r == 0) {
		*ret_what = "cannot give up privileges";
		r = confine_privileges();
	}
	return r;
}

static int report_ready(void *userdata) {
	int r = confine_calls();

	if (r == 0 && write(REQUEST_FD_READY, "", 1) < 0)
		r = -errno;
	close(REQUEST_FD_READY);
	if (r == 0)
		confine_read_in(); /* while the others serve already */
	return r;
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
		r = confine(&what);
	if (r < 0)
		return fail(r, what, why ?: strerror(-r));
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
	ignore_signals();
	if (request_parse(argc, argv, &q, &why) < 0)
		return fail(-EINVAL, "wrong arguments", why);
	return serve_image(&q);
}

static int run_help(int argc, char **argv) {
	printf("Usage: extmerge-fuse image ARGUMENT...\n"
	       "Serves file systems that the kernel cannot mount by itself. extmerge starts it.\n"
	       "\n"
	       "Subcommands:\n"
	       "  image      the data of one image as a file, each block checked as it is read\n"
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
	{ "image", run_image },
	{ "--help", run_help },
	{ "-h", run_help },
	{ "--version", run_version },
};

int main(int argc, char **argv) {
	for (size_t i = 0; argc > 1 && i < ARRAY_SIZE(subcommands); i++)
		if (strcmp(argv[1], subcommands[i].name) == 0)
			return subcommands[i].run(argc - 2, argv + 2);
	fprintf(stderr, "extmerge-fuse: %s\n  hint: try 'extmerge-fuse --help'\n",
		argc > 1 ? "unknown subcommand" : "a subcommand is missing");
	return EXIT_USAGE;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* extmerge-fuse DIR -o lowerdir=A:B:C: what mount(8) asks of a helper, for a union. */
#include <getopt.h>
#include <string.h>

#include "../merge/kernel.h"
#include "../merge/strv.h"
#include "attach-union.h"
#include "fusermount.h"
#include "grafts.h"
#include "layers.h"
#include "mountopts.h"
#include "remount.h"
#include "run.h"

/* What was asked for, and what is open. */
struct job {
	struct mountopts options;
	const char *source, *directory;
	bool only_pretends;
	int layers[LAYERS_MAX];
	unsigned n_layers;
	struct attach_upper upper;
};

static void job_done(struct job *j) {
	mountopts_done(&j->options);
	for (unsigned i = 0; i < j->n_layers; i++)
		close(j->layers[i]);
	close_fdp(&j->upper.upper);
	close_fdp(&j->upper.work);
}

static int fail(const char *what, const char *which, const char *why) {
	fprintf(stderr, "extmerge-fuse: cannot %s '%s': %s\n", what, which, why);
	return EXIT_FAILURE;
}

static int misuse(const char *why) {
	fprintf(stderr, "extmerge-fuse: %s\n  hint: try 'extmerge-fuse --help'\n", why);
	return EXIT_USAGE;
}

/* 0 or the exit status. */
static int read_options(struct job *j, int argc, char **argv) {
	char why[MOUNTOPTS_WHY_MAX];
	int c, r;

	while ((c = getopt(argc, argv, "sfnvt:o:")) != -1) {
		if (c == '?')
			return misuse("there is an unknown option");
		if (c == 'f')
			j->only_pretends = true;
		if (c != 'o')
			continue;
		r = mountopts_parse(optarg, &j->options, why);
		if (r < 0)
			return misuse(*why ? why : strerror(-r));
	}
	return 0;
}

static int read_arguments(struct job *j, int argc, char **argv) {
	int r = read_options(j, argc, argv);

	if (r != 0)
		return r;
	argv += optind;
	argc -= optind;
	if (argc < 1 || argc > 2)
		return misuse(argc < 1 ? "a directory is missing"
				       : "there are too many arguments");
	if (argc == 2)
		j->source = argv[0];
	j->directory = argv[argc - 1];
	if (j->options.remount)
		return 0;
	if (!j->options.layers)
		return misuse("the option lowerdir is missing");
	if (!j->options.upper != !j->options.work)
		return misuse("upperdir and workdir must be given both");
	if (j->options.grafts > 0 && j->options.upper)
		return misuse("grafts are for unions that are not written to");
	return strv_length(j->options.layers) > LAYERS_MAX
		       ? misuse("there are too many layers")
		       : 0;
}

static int open_layers(struct job *j) {
	for (char **path = j->options.layers; *path; path++) {
		int fd = open(*path, O_PATH | O_DIRECTORY | O_CLOEXEC);

		if (fd < 0)
			return fail("open the layer", *path, strerror(errno));
		j->layers[j->n_layers++] = fd;
	}
	return 0;
}

static int open_directory(const char *what, const char *path, int *ret) {
	*ret = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return *ret < 0 ? fail(what, path, strerror(errno)) : 0;
}

static int open_upper(struct job *j) {
	int r;

	if (!j->options.upper)
		return 0;
	r = open_directory("open upperdir", j->options.upper, &j->upper.upper);
	return r != 0 ? r
		      : open_directory("open workdir", j->options.work, &j->upper.work);
}

/* union.22: what is missing is said by what it lacks. */
static int refuse_help(const struct job *j, const char *program, const char *why) {
	fail("mount on", j->directory, *why ? why : "this process lacks CAP_SYS_ADMIN");
	if (!program)
		fprintf(stderr,
			"  hint: fusermount3, of the package fuse3, mounts for others\n");
	else if (fusermount_obstacle(program))
		fprintf(stderr, "  hint: %s\n", fusermount_obstacle(program));
	return EXIT_FAILURE;
}

/* For who may not mount: fusermount3 does, and it is seen before it is served. */
static int mount_by_helper(const struct job *j, struct attach_union_options *o) {
	const struct fusermount_options f = { o->source ?: "extmerge-fuse:union",
					      o->attributes | MOUNT_ATTR_RDONLY };
	const char *program = fusermount_find();
	_cleanup_close_ int at = open(j->directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
	_cleanup_close_ int connection = -EBADF, mounted = -EBADF;
	char why[ATTACH_WHY_MAX] = "", ignored[FUSERMOUNT_WHY_MAX];
	int r;

	if (at < 0)
		return fail("mount on", j->directory, strerror(errno));
	if (!program)
		return refuse_help(j, program, why);
	if (o->upper || j->options.grafts > 0)
		return fail("mount on", j->directory,
			    "upperdir and grafts need CAP_SYS_ADMIN");
	connection = fusermount_mount(program, at, &f, why);
	if (connection < 0)
		return refuse_help(j, program, why);
	o->connection = &connection;
	o->space = WHITEOUT_USER; /* who may not mount does not see trusted.* */
	r = attach_union(j->layers, j->n_layers, o, why);
	if (r == 0)
		return EXIT_SUCCESS;
	mounted = open(j->directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (mounted >= 0)
		fusermount_unmount(program, mounted, ignored);
	return fail("mount on", j->directory, *why ? why : strerror(-r));
}

static int mount_it(const struct job *j) {
	struct attach_union_options o = {
		.name = j->directory,
		.source = j->source,
		.space = j->options.space,
		.io = j->options.io,
		.attributes = j->options.attributes,
		.upper = j->options.upper ? &j->upper : NULL,
	};
	_cleanup_close_ int at = open(j->directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
	_cleanup_close_ int mounted = -EBADF;
	_cleanup_strv_ char **grafts = NULL, **failed = NULL;
	char why[ATTACH_WHY_MAX];

	if (fusermount_is_needed())
		return mount_by_helper(j, &o);
	if (at < 0)
		return fail("mount on", j->directory, strerror(errno));
	mounted = attach_union(j->layers, j->n_layers, &o, why);
	if (mounted < 0)
		return fail("mount on", j->directory, *why ? why : strerror(-mounted));
	if (move_mount(mounted, "", at, "",
		       MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
		return fail("mount on", j->directory, strerror(errno));
	/* What cannot be grafted is served. */
	if (j->options.grafts > 0)
		(void)grafts_attach(mounted, j->layers, j->n_layers, &o,
				    j->options.grafts, &grafts, &failed);
	for (char **text = failed; text && *text; text++)
		fprintf(stderr, "extmerge-fuse: no graft of %s\n", *text);
	return EXIT_SUCCESS;
}

static int remount_it(const struct job *j) {
	int r = remount(j->directory, j->options.attributes);

	return r < 0 ? fail("remount", j->directory,
			    r == -EMEDIUMTYPE ? "it is no union" : strerror(-r))
		     : EXIT_SUCCESS;
}

int run_mount(int argc, char **argv) {
	_cleanup_(job_done) struct job j = { .source = NULL, .upper = { -EBADF, -EBADF } };
	/* getopt begins behind the program's name. */
	int r = read_arguments(&j, argc + 1, argv - 1);

	if (r == 0 && j.options.remount)
		return j.only_pretends ? EXIT_SUCCESS : remount_it(&j);
	if (r == 0)
		r = open_layers(&j);
	if (r == 0)
		r = open_upper(&j);
	return r != 0 || j.only_pretends ? r : mount_it(&j);
}

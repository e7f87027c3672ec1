/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The switch, by fusermount3: a tree is taken off, and another one mounted. */
#include "proxymount.h"

#include <fcntl.h>
#include <string.h>
#include <time.h>

#include "../fuse/attach-union.h"
#include "../fuse/fusermount.h"
#include "file.h"
#include "kernel.h"
#include "log.h"
#include "meta.h"
#include "process.h"
#include "stacking.h"
#include "strv.h"
#include "submounts.h"
#include "text.h"
#include "witness.h"

#define META_NAME ".extmerge-record"
#define BY_HELPER "this process may not mount, and fusermount3 can do so for FUSE only"

static int64_t microseconds_since(const struct timespec *start) {
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (now.tv_sec - start->tv_sec) * 1000000 +
	       (now.tv_nsec - start->tv_nsec) / 1000;
}

/* --- what is missing --- */

static enum exit_code lack(const char *program, const char *why) {
	const char *obstacle = program ? fusermount_obstacle(program) : NULL;

	if (!program) {
		log_error(
			"Cannot mount: this process lacks CAP_SYS_ADMIN, and there is no fusermount3, which mounts for others");
		log_hint(
			"fusermount3 comes with the package fuse3; a container gets CAP_SYS_ADMIN by --cap-add=SYS_ADMIN");
		return EXIT_PRIVILEGE;
	}
	log_error(
		"Cannot mount: this process lacks CAP_SYS_ADMIN, and fusermount3 says: %s",
		why && *why ? why : "nothing");
	if (obstacle)
		log_hint("%s; a container gets it by --cap-add=SYS_ADMIN --device=/dev/fuse",
			 obstacle);
	return EXIT_PRIVILEGE;
}

/* What it takes, before anything is changed. */
static enum exit_code find_helper(const struct route *r, const char **ret) {
	if (strcmp(r->options->root, "/") == 0) {
		log_error("Cannot mount: this process lacks CAP_SYS_ADMIN");
		log_hint(
			"fusermount3 is below /usr itself, so it is used for another root only (--root=)");
		return EXIT_PRIVILEGE;
	}
	*ret = fusermount_find();
	return *ret ? EXIT_DONE : lack(NULL, NULL);
}

/* --- off and on --- */

static enum exit_code take_off(const struct route *r, size_t i, const char *program) {
	const struct state_hierarchy *h = &r->state.hierarchies[i];
	char why[FUSERMOUNT_WHY_MAX];
	int e = fusermount_unmount(program, h->fd, why);

	if (e == 0)
		return EXIT_DONE;
	log_error("Cannot take the merged /%s off: %s", h->name,
		  *why ? why : strerror(-e));
	return route_code(e);
}

static int mount_layers(const struct route *r, size_t i, const char *program,
			const int *layers, unsigned n, const char *source,
			uint64_t attributes, pid_t *ret_server,
			char why[static ATTACH_WHY_MAX]) {
	const char *name = r->state.hierarchies[i].name;
	_cleanup_close_ int target = file_open_in(r->root, name, O_PATH | O_DIRECTORY);
	_cleanup_close_ int connection = -EBADF, mounted = -EBADF;
	char ignored[FUSERMOUNT_WHY_MAX];
	struct attach_union_options o = { .name = source,
					  .source = source,
					  .space = WHITEOUT_USER,
					  .connection = &connection,
					  .ret_server = ret_server };
	int e;

	if (target < 0)
		return target;
	connection = fusermount_mount(program, target,
				      &(struct fusermount_options){ source, attributes },
				      why);
	if (connection < 0)
		return connection;
	e = attach_union(layers, n, &o, why);
	if (e == 0)
		return 0;
	mounted = file_open_in(r->root, name, O_PATH | O_DIRECTORY);
	if (mounted >= 0)
		(void)fusermount_unmount(program, mounted, ignored);
	return e;
}

static bool has_to_go(const struct route *r, size_t i, bool dead_only) {
	const struct state_hierarchy *h = &r->state.hierarchies[i];

	return h->kind == STATE_MERGED && !r->is_cleared[i] &&
	       route_has_class(r, h->class) &&
	       (dead_only ? h->is_dead : !r->is_settled[h->class->id]);
}

static enum exit_code clear(struct route *r, bool dead_only) {
	const char *program = NULL;
	enum exit_code code = EXIT_DONE;

	for (size_t i = 0; code == EXIT_DONE && i < r->state.n; i++) {
		if (r->is_privileged || !has_to_go(r, i, dead_only))
			continue;
		if (!program)
			code = find_helper(r, &program);
		if (code == EXIT_DONE)
			code = take_off(r, i, program);
		if (code != EXIT_DONE)
			continue;
		r->is_cleared[i] = true;
		clock_gettime(CLOCK_MONOTONIC, &r->cleared[i]);
	}
	return code;
}

enum exit_code proxymount_clear_dead(struct route *r) {
	return clear(r, true);
}

enum exit_code proxymount_clear(struct route *r) {
	return clear(r, false);
}

/* The old tree is still there, held by its fd, and becomes the only layer of one that is mounted. */
void proxymount_restore(struct route *r) {
	const char *program = NULL;
	char why[ATTACH_WHY_MAX] = "";

	for (size_t i = 0; i < r->state.n; i++) {
		const struct state_hierarchy *h = &r->state.hierarchies[i];
		_cleanup_free_ char *source = r->is_cleared[i] && h->record
						      ? stack_source(h->record)
						      : NULL;
		int e = -ENOMEM;

		if (!r->is_cleared[i] || h->is_dead)
			continue;
		program = fusermount_find();
		if (source && program)
			e = mount_layers(r, i, program, &h->fd, 1, source,
					 MOUNT_ATTR_RDONLY, NULL, why);
		if (e < 0)
			log_error("Cannot show the merged /%s again: %s", h->name,
				  *why ? why : strerror(-e));
		else
			log_notice("/%s  shows what it did before", h->name);
		r->is_cleared[i] = false;
	}
}

/* --- building --- */

/*
 * A directory that is nowhere any more, as soon as it is open: it needs no place, and nothing of it is left behind. It
 * is made in the root, as that is the caller's.
 */
static int make_meta(const struct route *r, const struct hierarchy *h) {
	_cleanup_close_ int meta = -EBADF;
	int e = 0;

	if (unlinkat(r->root, META_NAME, AT_REMOVEDIR) < 0 && errno != ENOENT)
		return -errno;
	if (mkdirat(r->root, META_NAME, 0755) < 0)
		return -errno;
	meta = openat(r->root, META_NAME, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (meta < 0 || unlinkat(r->root, META_NAME, AT_REMOVEDIR) < 0)
		return -errno;
	if (h->base >= 0)
		e = meta_copy_looks(h->base, meta);
	return e < 0 ? e : TAKE_FD(meta);
}

static int note(struct record *record, pid_t server) {
	free(record->backend);
	free(record->backend_why);
	free(record->layers_by);
	free(record->server);
	record->backend = strdup(backend_text(BACKEND_FUSE));
	record->backend_why = strdup(BY_HELPER);
	record->layers_by = strdup(RECORD_BY_HELPER);
	record->server = process_describe(server);
	return record->backend && record->backend_why && record->layers_by &&
			       record->server
		       ? 0
		       : -ENOMEM;
}

/* Says what cannot be done without privilege. */
static enum exit_code check(const struct route *r, const struct mounts *m, size_t i) {
	const struct hierarchy *h = &r->hierarchies[i];
	_cleanup_strv_ char **below = NULL;
	int e = h->base < 0 ? 0 : submounts_list(m, h->base, &below);

	if (e < 0)
		return route_fail(e, "look at the mounts of the host");
	if (hierarchy_is_writable(h) || (h->upper && h->upper->is_imported))
		log_error("Cannot make /%s writable: this process lacks CAP_SYS_ADMIN",
			  h->name);
	else if (below)
		log_error("Cannot merge /%s: what is mounted at /%s/%s would not be seen, "
			  "as this process lacks CAP_SYS_ADMIN",
			  h->name, h->name, below[0]);
	else if (h->n_layers + 2 > STACKING_LAYERS_MAX)
		log_error(
			"Cannot merge /%s: more than %d layers need CAP_SYS_ADMIN to mount",
			h->name, STACKING_LAYERS_MAX);
	else
		return EXIT_DONE;
	return EXIT_PRIVILEGE;
}

static enum exit_code check_all(const struct route *r) {
	_cleanup_(mounts_freep) struct mounts *m = NULL;
	enum exit_code code = EXIT_DONE;
	int e = mounts_read(&m);

	if (e < 0)
		return route_fail(e, "read the mount table");
	for (size_t i = 0; code == EXIT_DONE && i < r->plan.n_steps; i++)
		if (r->wanted[i] && (r->plan.steps[i].action == PLAN_MERGE ||
				     r->plan.steps[i].action == PLAN_REPLACE))
			code = check(r, m, i);
	return code;
}

/* switch.5 */
static int look(const struct route *r, size_t i, const char *source, char **ret_why) {
	_cleanup_close_ int fd = file_open_in(r->root, r->hierarchies[i].name,
					      O_PATH | O_DIRECTORY);
	_cleanup_(mounts_freep) struct mounts *m = NULL;
	int id = fd < 0 ? fd : mount_id(fd), e = id < 0 ? id : mounts_read(&m);
	struct mount_info top;

	if (e < 0)
		return e;
	if (!mounts_find(m, id, &top) || !stack_is_ours(&top) ||
	    strcmp(top.source, source) != 0)
		return -EXDEV;
	return witness_check(fd, &r->hierarchies[i], ret_why);
}

static int build(struct route *r, size_t i, const char *program, char **ret_why) {
	struct hierarchy *h = &r->hierarchies[i];
	_cleanup_free_ char *source = stack_source(r->wanted[i]);
	_cleanup_free_ int *layers = calloc(h->n_layers + 4, sizeof(int));
	_cleanup_close_ int meta = -EBADF;
	char why[ATTACH_WHY_MAX] = "";
	pid_t server = 0;
	size_t n;
	int e;

	if (!source || !layers)
		return -ENOMEM;
	if (h->base < 0 && mkdirat(r->root, h->name, STATE_MADE_MODE) < 0 &&
	    errno != EEXIST)
		return -errno;
	meta = make_meta(r, h);
	if (meta < 0)
		return meta;
	n = stack_list_layers(h, meta, layers);
	e = hierarchy_choose_witness(h);
	if (e == 0)
		e = mount_layers(r, i, program, layers, (unsigned)n, source,
				 stack_attributes(h), &server, why);
	if (e < 0) {
		*ret_why = *why ? strdup(why) : NULL;
		return e;
	}
	if (r->is_cleared[i])
		r->wanted[i]->gap = microseconds_since(&r->cleared[i]);
	e = note(r->wanted[i], server);
	if (e == 0)
		e = stack_write_record(meta, r->wanted[i]);
	return e < 0 ? e : look(r, i, source, ret_why);
}

/* --- the switch --- */

static bool is_new(const struct route *r, size_t i) {
	return r->wanted[i] && (r->plan.steps[i].action == PLAN_MERGE ||
				r->plan.steps[i].action == PLAN_REPLACE);
}

static enum exit_code put_on(struct route *r, size_t i, const char *program) {
	_cleanup_free_ char *why = NULL;
	int e = build(r, i, program, &why);

	if (e == 0)
		return EXIT_DONE;
	if (e == -EPERM && (why || fusermount_obstacle(program)))
		return lack(program, why);
	log_error("Cannot merge /%s: %s", r->hierarchies[i].name, why ?: strerror(-e));
	return route_code(e);
}

/* What was put on, wholly or in part. */
static void take_back(const struct route *r, size_t i, const char *program) {
	_cleanup_close_ int fd = file_open_in(r->root, r->hierarchies[i].name,
					      O_PATH | O_DIRECTORY);
	char ignored[FUSERMOUNT_WHY_MAX];

	if (fd >= 0 && mount_is_root(fd) == 1)
		(void)fusermount_unmount(program, fd, ignored);
	if (r->hierarchies[i].base < 0)
		(void)unlinkat(r->root, r->hierarchies[i].name, AT_REMOVEDIR);
}

/* A directory that we made goes, if nobody has put something into it. */
static enum exit_code remove_tree(struct route *r, size_t i, const char *program) {
	const struct state_hierarchy *h = &r->state.hierarchies[i];
	enum exit_code code = r->is_cleared[i] ? EXIT_DONE : take_off(r, i, program);

	if (code == EXIT_DONE && h->record && h->record->created)
		(void)unlinkat(r->root, h->name, AT_REMOVEDIR);
	if (code == EXIT_DONE)
		r->is_cleared[i] = true;
	return code;
}

static enum exit_code switch_all(struct route *r, const char *program) {
	enum exit_code code = EXIT_DONE;
	size_t done = 0;

	for (; code == EXIT_DONE && done < r->plan.n_steps; done++) {
		if (is_new(r, done))
			code = put_on(r, done, program);
		else if (r->plan.steps[done].action == PLAN_UNMERGE)
			code = remove_tree(r, done, program);
	}
	for (size_t i = 0; code != EXIT_DONE && i < done; i++)
		if (is_new(r, i))
			take_back(r, i, program);
	return code;
}

/* switch.3: what could not be hidden is said. */
static void tell_gap(struct route *r, size_t i) {
	if (is_new(r, i) && r->wanted[i]->gap > r->gap)
		r->gap = r->wanted[i]->gap;
	r->is_cleared[i] = false;
}

enum exit_code proxymount_run(struct route *r) {
	const char *program = NULL;
	enum exit_code code = find_helper(r, &program);

	if (code == EXIT_DONE)
		code = check_all(r);
	if (code == EXIT_DONE)
		code = switch_all(r, program);
	for (size_t i = 0; code == EXIT_DONE && i < r->state.n; i++)
		tell_gap(r, i);
	return code;
}

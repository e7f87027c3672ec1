/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The switch, by fusermount3: a tree is taken off, and another one mounted. */
#include "proxymount-parts.h"

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
#include "witness.h"

#define META_NAME ".extmerge-record"
#define BY_HELPER "this process may not mount, and fusermount3 can do so for FUSE only"

static int64_t microseconds_since(const struct timespec *start) {
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (now.tv_sec - start->tv_sec) * 1000000 +
	       (now.tv_nsec - start->tv_nsec) / 1000;
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

/* What a new tree is made of, all but the mount. */
struct draft {
	char *source;
	int *layers;
	unsigned n_layers;
	int meta;
};

static void draft_done(struct draft *d) {
	free(d->source);
	free(d->layers);
	close_fdp(&d->meta);
}

static int prepare(struct route *r, size_t i, struct draft *d) {
	struct hierarchy *h = &r->hierarchies[i];

	d->source = stack_source(r->wanted[i]);
	d->layers = calloc(h->n_layers + 4, sizeof(int));
	if (!d->source || !d->layers)
		return -ENOMEM;
	if (h->base < 0 && mkdirat(r->root, h->name, STATE_MADE_MODE) < 0 &&
	    errno != EEXIST)
		return -errno;
	d->meta = make_meta(r, h);
	if (d->meta < 0)
		return d->meta;
	d->n_layers = (unsigned)stack_list_layers(h, d->meta, d->layers);
	return hierarchy_choose_witness(h);
}

static int build(struct route *r, size_t i, const char *program, const struct draft *d,
		 char **ret_why) {
	char why[ATTACH_WHY_MAX] = "";
	pid_t server = 0;
	int e = proxymount_mount_layers(r, i, program, d->layers, d->n_layers, d->source,
					stack_attributes(&r->hierarchies[i]), &server,
					why);

	if (e < 0) {
		*ret_why = *why ? strdup(why) : NULL;
		return e;
	}
	if (r->is_cleared[i])
		r->wanted[i]->gap = microseconds_since(&r->cleared[i]);
	e = note(r->wanted[i], server);
	if (e == 0)
		e = stack_write_record(d->meta, r->wanted[i]);
	return e < 0 ? e : look(r, i, d->source, ret_why);
}

/* --- the switch --- */

static bool is_new(const struct route *r, size_t i) {
	return r->wanted[i] && (r->plan.steps[i].action == PLAN_MERGE ||
				r->plan.steps[i].action == PLAN_REPLACE);
}

/* switch.18: between the old tree and the new one lies nothing that could be done before. */
static enum exit_code put_on(struct route *r, size_t i, const char *program) {
	_cleanup_(draft_done) struct draft d = { .meta = -EBADF };
	_cleanup_free_ char *why = NULL;
	int e = prepare(r, i, &d);

	if (e == 0 && proxymount_is_covered(r, i)) {
		enum exit_code code = proxymount_take_off(r, i, program);

		if (code != EXIT_DONE)
			return code;
	}
	if (e == 0)
		e = build(r, i, program, &d, &why);
	if (e == 0)
		return EXIT_DONE;
	if (e == -EPERM && (why || fusermount_obstacle(program)))
		return proxymount_lack(program, why);
	log_error("Cannot merge /%s: %s", r->hierarchies[i].name, why ?: strerror(-e));
	return route_code(e);
}

/* What was put on, wholly or in part; not the old tree, where that has not gone. */
static void take_back(const struct route *r, size_t i, const char *program) {
	_cleanup_close_ int fd = file_open_in(r->root, r->hierarchies[i].name,
					      O_PATH | O_DIRECTORY);
	char ignored[FUSERMOUNT_WHY_MAX];

	if (proxymount_is_covered(r, i))
		return;
	if (fd >= 0 && mount_is_root(fd) == 1)
		(void)fusermount_unmount(program, fd, ignored);
	if (r->hierarchies[i].base < 0 && r->state.hierarchies[i].kind == STATE_PLAIN)
		(void)unlinkat(r->root, r->hierarchies[i].name, AT_REMOVEDIR);
}

/* A directory that we made goes, if nobody has put something into it. */
static enum exit_code remove_tree(struct route *r, size_t i, const char *program) {
	const struct state_hierarchy *h = &r->state.hierarchies[i];
	enum exit_code code = r->is_cleared[i] ? EXIT_DONE
					       : proxymount_take_off(r, i, program);

	if (code == EXIT_DONE)
		proxymount_kept(r, i);
	if (code == EXIT_DONE && h->record && h->record->created)
		(void)unlinkat(r->root, h->name, AT_REMOVEDIR);
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

/* switch.3: what could not be hidden is said. From here on nothing comes back. */
static void finish(struct route *r) {
	for (size_t i = 0; i < r->state.n; i++) {
		if (is_new(r, i) && r->wanted[i]->gap > r->gap)
			r->gap = r->wanted[i]->gap;
		r->is_cleared[i] = false;
		proxymount_kept(r, i);
	}
	proxymount_end_keeper(r);
}

enum exit_code proxymount_run(struct route *r) {
	const char *program = NULL;
	enum exit_code code = proxymount_find_helper(r, &program);

	if (code == EXIT_DONE)
		code = check_all(r);
	if (code == EXIT_DONE)
		code = switch_all(r, program);
	if (code == EXIT_DONE)
		finish(r);
	return code;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The route: the steps that the verbs are made of. */
#include "route.h"

#include <fcntl.h>
#include <sched.h>
#include <string.h>

#include "../verity/activate.h"
#include "configure.h"
#include "discover.h"
#include "draft.h"
#include "file.h"
#include "hierarchies.h"
#include "inputs.h"
#include "kernel.h"
#include "log.h"
#include "responsive.h"
#include "strv.h"
#include "text.h"
#include "uppers.h"

enum exit_code route_code(int error) {
	switch (error) {
	case -EPERM:
	case -EACCES:
	case -ENOSYS:
	case -ENODEV:
		return EXIT_PRIVILEGE;
	case -ETIMEDOUT:
		return EXIT_LOCKED;
	default:
		return EXIT_FAILED;
	}
}

enum exit_code route_fail(int error, const char *what) {
	log_error("Cannot %s: %s", what, strerror(-error));
	return route_code(error);
}

static enum exit_code open_directories(struct route *r) {
	r->directory = -EBADF;
	r->root = open(r->options->root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (r->root < 0) {
		log_error("Cannot open the root '%s': %s", r->options->root,
			  strerror(errno));
		return EXIT_USAGE;
	}
	r->directory = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	return r->directory < 0 ? route_fail(-errno, "open the working directory")
				: EXIT_DONE;
}

static enum exit_code open_root(struct route *r, const struct options *o) {
	*r = (struct route)ROUTE_NONE;
	for (size_t i = 0; i < STATE_HIERARCHIES_MAX; i++) {
		r->memories[i] = -EBADF;
		r->uppers[i] = (struct upper)UPPER_NONE;
	}
	r->options = o;
	r->guard.choice = o->verity;
	r->guard.on_corruption = o->on_corruption;
	return open_directories(r);
}

static enum exit_code read_state(struct route *r) {
	int e;

	state_done(&r->state);
	mounts_free(r->table);
	r->table = NULL;
	e = state_read(r->root, r->options->service, &r->state, &r->table);
	if (e == -ENOENT && access("/proc/self/mountinfo", F_OK) < 0) {
		log_error("Cannot read the mount table: there is no /proc/self/mountinfo");
		log_hint("mount /proc");
		return EXIT_FAILED;
	}
	return e < 0 ? route_fail(e, "read the mount table") : EXIT_DONE;
}

enum exit_code route_open(struct route *r, const struct options *o) {
	enum exit_code code = open_root(r, o);

	return code == EXIT_DONE ? read_state(r) : code;
}

static enum exit_code take_lock(struct route *r) {
	if (geteuid() != 0) {
		log_error("Cannot change what is merged: root is needed");
		log_hint("list, plan and status work without");
		return EXIT_PRIVILEGE;
	}
	r->lock = state_lock(r->root, r->options->lock_wait);
	if (r->lock == -ETIMEDOUT) {
		log_error(
			"Cannot take the lock: another extmerge run has held it for %u seconds",
			r->options->lock_wait / 1000);
		return EXIT_LOCKED;
	}
	return r->lock < 0 ? route_fail(r->lock, "take the lock") : EXIT_DONE;
}

static enum exit_code heal(struct route *r) {
	int healed = state_heal(&r->state, r->root, r->directory);

	if (healed < 0)
		return route_fail(healed, "finish what an interrupted run began");
	if (healed == 0)
		return EXIT_DONE;
	log_notice("Finished the switch that an interrupted run had begun.");
	return read_state(r);
}

enum exit_code route_open_locked(struct route *r, const struct options *o) {
	enum exit_code code = open_root(r, o);

	if (code == EXIT_DONE)
		code = take_lock(r);
	if (code == EXIT_DONE) /* not before: another run could still change it */
		code = read_state(r);
	return code == EXIT_DONE ? heal(r) : code;
}

int route_take_submounts(const struct mounts *m, int hierarchy,
			 struct route_submounts *ret) {
	_cleanup_strv_ char **paths = NULL;
	int r = state_submounts(m, hierarchy, &paths);

	if (r < 0 || !paths)
		return r;
	ret->items = calloc(strv_length(paths), sizeof(*ret->items));
	if (!ret->items)
		return -ENOMEM;
	for (char **path = paths; *path; path++) {
		struct stack_submount *s = &ret->items[ret->n];
		const int flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE |
				  AT_NO_AUTOMOUNT;

		s->fd = open_tree(hierarchy, *path, flags);
		if (s->fd < 0)
			return -errno;
		ret->n++;
		s->path = strdup(*path);
		if (!s->path)
			return -ENOMEM;
	}
	return 0;
}

void route_submounts_done(struct route_submounts *s) {
	for (size_t i = 0; i < s->n; i++) {
		close_fdp(&s->items[i].fd);
		free(s->items[i].path);
	}
	free(s->items);
}

static void forget_merged(struct state *s) {
	for (size_t i = 0; i < s->n; i++) {
		struct state_hierarchy *h = &s->hierarchies[i];

		record_free(h->record);
		free(h->other);
		*h = (struct state_hierarchy){ .class = h->class,
					       .name = h->name,
					       .own_name = h->own_name,
					       .is_left = h->is_left,
					       .kind = STATE_PLAIN,
					       .fd = h->fd };
	}
}

enum exit_code route_open_on_top(struct route *r) {
	enum exit_code code;

	close_fdp(&r->root);
	close_fdp(&r->directory);
	code = open_directories(r);
	if (code == EXIT_DONE)
		code = read_state(r);
	forget_merged(&r->state);
	r->is_on_top = true;
	return code;
}

/* What is mounted on the hierarchy, and the memory that is written to, which is mounted in it as well. */
static int take_mounts(struct route *r, const struct mounts *m, size_t i, int fd) {
	int e = route_take_submounts(m, fd, &r->submounts[i]);

	if (e < 0 || r->state.hierarchies[i].kind != STATE_MERGED)
		return e;
	r->memories[i] = upper_take_memory(fd);
	return r->memories[i] < 0 && r->memories[i] != -ENOENT ? r->memories[i] : 0;
}

/* What of the service's own mounts has to be seen in the new trees. */
static enum exit_code take_service_submounts(struct route *r) {
	_cleanup_(mounts_freep) struct mounts *m = NULL;
	int e = mounts_read(&m);

	for (size_t i = 0; e == 0 && i < r->state.n; i++)
		if (r->state.hierarchies[i].fd >= 0 &&
		    route_has_class(r, r->state.hierarchies[i].class))
			e = route_take_submounts(m, r->state.hierarchies[i].fd,
						 &r->submounts[i]);
	return e < 0 ? route_fail(e, "take the service's own mounts") : EXIT_DONE;
}

/* A hierarchy that is a file system of its own: below a tree of ours no path and no fd leads to it. */
static int match_hidden(const struct mount_info *i, void *data) {
	const struct state_hierarchy *h = data;

	return i->target[0] == '/' && strcmp(i->target + 1, h->name) == 0 &&
	       i->id != mount_id(h->fd);
}

/* The mounts that trees will lie on: that of the directory itself, and that of the one above. */
static int shield_hierarchy(const struct mounts *m, struct state_hierarchy *h) {
	_cleanup_close_ int above = openat(h->fd, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int r = above < 0 ? -errno : mount_make_private(above);

	if (r == 0)
		r = mount_make_private(h->fd);
	if (r == 0 && mounts_each(m, match_hidden, h) > 0 &&
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		r = -errno;
	return r;
}

enum exit_code route_shield(struct route *r) {
	_cleanup_(mounts_freep) struct mounts *m = NULL;
	int e = mounts_read(&m);

	for (size_t i = 0; e == 0 && i < r->state.n; i++)
		if (r->state.hierarchies[i].fd >= 0)
			e = shield_hierarchy(m, &r->state.hierarchies[i]);
	if (fchdir(r->directory) < 0 && e == 0)
		e = -errno;
	return e < 0 ? route_fail(e, "keep the host's mounts away") : EXIT_DONE;
}

/* In the service's namespace, and back. */
static enum exit_code look_at_service(struct route *r) {
	enum exit_code code;

	close_fdp(&r->root);
	close_fdp(&r->directory);
	code = open_directories(r);
	if (code == EXIT_DONE)
		code = read_state(r);
	if (code == EXIT_DONE)
		code = heal(r);
	if (code == EXIT_DONE)
		code = route_shield(r);
	return code == EXIT_DONE ? take_service_submounts(r) : code;
}

enum exit_code route_open_service(struct route *r, const struct options *o,
				  const struct service_place *place) {
	enum exit_code code = open_root(r, o);
	_cleanup_close_ int root = -EBADF, namespace = -EBADF;
	int e;

	if (code == EXIT_DONE)
		code = take_lock(r);
	if (code != EXIT_DONE)
		return code;
	root = fcntl(r->root, F_DUPFD_CLOEXEC, 3);
	namespace = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
	r->destination = fcntl(place->namespace, F_DUPFD_CLOEXEC, 3);
	if (root < 0 || namespace < 0 || r->destination < 0 ||
	    setns(place->namespace, CLONE_NEWNS) < 0)
		return route_fail(-errno, "enter the service's namespace");
	code = look_at_service(r);
	e = setns(namespace, CLONE_NEWNS) < 0 || fchdir(root) < 0 || chroot(".") < 0
		    ? -errno
		    : 0;
	return e < 0 ? route_fail(e, "leave the service's namespace") : code;
}

/* In the workshop's copy of the mount table, each hierarchy's submounts are taken and our trees off. */
static int strip_copy(struct route *r) {
	_cleanup_(mounts_freep) struct mounts *m = NULL;
	struct state copy;
	int e = state_read(r->base, r->options->service, &copy, &m);

	if (e < 0)
		return e;
	if (r->is_on_top)
		forget_merged(&copy);
	r->found.has_doubt = responsive_has_doubt(m);
	for (size_t i = 0; e == 0 && i < r->state.n; i++) {
		const struct state_hierarchy *h =
			state_find(&copy, r->state.hierarchies[i].name);

		if (h && h->fd >= 0 && r->destination < 0 && route_has_class(r, h->class))
			e = take_mounts(r, m, i, h->fd);
	}
	if (e == 0)
		e = state_peel(&copy, r->base, r->base);
	state_done(&copy);
	return e;
}

static int look_for_doubt(struct route *r) {
	_cleanup_(mounts_freep) struct mounts *m = NULL;
	int e = mounts_read(&m);

	if (e == 0)
		r->found.has_doubt = responsive_has_doubt(m);
	return e;
}

/*
 * Everything is read below the workshop's root, where no extension is merged: what an extension brings
 * must have no say in what is discovered or matched.
 */
enum exit_code route_enter(struct route *r) {
	int e = workshop_enter(&r->workshop);

	r->is_privileged = e == 0;
	if (e < 0 && e != -EPERM)
		return route_fail(e, "make a mount namespace to work in");
	r->base = open(r->options->root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (r->base < 0)
		return route_fail(-errno, "open the root");
	if (r->destination >= 0)
		e = workshop_redirect(&r->workshop, r->destination, r->root);
	if (r->destination >= 0 && e < 0)
		return route_fail(e, "prepare the way to the service");
	e = r->is_privileged ? strip_copy(r) : look_for_doubt(r);
	/* activate.10: of a run that was killed, if this is one that changes something. */
	if (e == 0 && r->is_privileged && r->lock >= 0) {
		(void)activate_heal(r->workshop.scratch);
		uppers_sweep(r);
	}
	return e < 0 ? route_fail(e, "look below what is merged") : EXIT_DONE;
}

static bool is_merged(const struct route *r, const struct class *class) {
	for (size_t i = 0; i < r->state.n; i++)
		if (r->state.hierarchies[i].class == class &&
		    r->state.hierarchies[i].record)
			return true;
	return false;
}

/*
 * Where something is merged, its inputs may turn out to be the same; where nothing is, they are digested
 * when the trees have been walked anyway. After a first look they stay: what is found out later
 * follows from them.
 */
static int discover_class(struct route *r, const struct class *class) {
	int e;

	e = discover(r->base, class, &r->host, &r->found);
	return e < 0 || r->losers || !is_merged(r, class) ? e : inputs_digest(r, class);
}

static int discover_all(struct route *r) {
	int e = 0;

	r->found.list = &r->extensions;
	r->found.losers = r->losers;
	r->found.orders = r->orders;
	r->found.hierarchies = r->config.names;
	r->found.service = r->options->service;
	for (size_t c = 0; e == 0 && c < CLASS_COUNT; c++)
		if (r->options->classes[c])
			e = discover_class(r, &classes[c]);
	return e;
}

/* order.9: said where a class is asked for that lacks them, and no other one that has them. */
static int note_absent(const struct route *r) {
	_cleanup_strv_ char **names = NULL;
	int e = 0;

	for (size_t c = 0; e == 0 && c < CLASS_COUNT; c++)
		if (r->options->classes[c])
			e = order_find_absent(&r->orders[c], &r->extensions, &names);
	for (char **name = names; name && *name; name++)
		log_detail("The order speaks of %s, which is not there", *name);
	return e;
}

enum exit_code route_discover(struct route *r) {
	const char *why = NULL;
	enum exit_code code = configure(r);
	int e;

	if (code != EXIT_DONE)
		return code;
	e = host_read(r->base, &r->host, &why);
	if (e < 0) {
		log_error("Cannot tell what this host is: %s (%s)", why ?: "os-release",
			  strerror(-e));
		log_hint("there must be an /etc/os-release or /usr/lib/os-release below '%s'",
			 r->options->root);
		return EXIT_FAILED;
	}
	code = hierarchies_add(r);
	if (code == EXIT_DONE)
		code = uppers_find(r);
	if (code != EXIT_DONE)
		return code;
	e = discover_all(r);
	if (e < 0)
		return route_fail(e, "discover the extensions");
	for (char **problem = r->found.problems; problem && *problem; problem++)
		log_warning("%s", *problem);
	e = note_absent(r);
	return e < 0 ? route_fail(e, "order the extensions") : EXIT_DONE;
}

/* Those that extensions of the class may have layers for; how many there are. */
static size_t collect_hierarchies(struct route *r, const struct class *class,
				  struct hierarchy *ret[static STATE_HIERARCHIES_MAX]) {
	size_t n = 0;

	for (size_t i = 0; i < r->n_hierarchies; i++)
		if (r->hierarchies[i].class == class && !r->state.hierarchies[i].is_left)
			ret[n++] = &r->hierarchies[i];
	return n;
}

static enum exit_code examine_all(struct route *r) {
	const struct examine_options o = {
		.source = {
			.assess = { &r->host, r->base, &r->trust },
			.guard = &r->guard,
			.workshop = r->is_privileged ? &r->workshop : NULL,
		},
		.force_all = r->options->force_all,
		.force = r->options->force,
	};

	for (size_t i = 0; i < r->extensions.n; i++) {
		struct hierarchy *hierarchies[STATE_HIERARCHIES_MAX];
		struct extension *x = r->extensions.items[i];
		int e;

		if (r->is_settled[x->class->id])
			continue;
		e = examine(x, &o, hierarchies,
			    collect_hierarchies(r, x->class, hierarchies));
		if (e < 0) {
			log_error("Cannot examine '%s': %s", x->path, strerror(-e));
			return route_code(e);
		}
	}
	return EXIT_DONE;
}

static enum exit_code open_hierarchies(struct route *r) {
	for (size_t i = 0; i < r->state.n; i++) {
		const struct state_hierarchy *h = &r->state.hierarchies[i];
		int e = hierarchy_open(&r->hierarchies[i], h->class, h->name, r->base);

		if (e < 0) {
			log_error("Cannot open the host's own /%s: %s", h->name,
				  strerror(-e));
			return route_code(e);
		}
		r->n_hierarchies++;
		if (r->uppers[i].is_writable || r->uppers[i].is_imported)
			r->hierarchies[i].upper = &r->uppers[i];
		r->hierarchies[i].is_made = state_is_made(r->hierarchies[i].base);
		r->hierarchies[i].place = route_settings(r, i)->base;
		for (size_t n = 0; e == 0 && n < r->submounts[i].n; n++)
			e = strv_append(&r->hierarchies[i].mounts,
					r->submounts[i].items[n].path);
		if (e < 0)
			return route_fail(e, "plan");
	}
	return EXIT_DONE;
}

static int compute_plan(struct route *r) {
	const struct record *old[STATE_HIERARCHIES_MAX] = { NULL };
	int e;

	for (size_t i = 0; i < r->state.n; i++)
		if (route_has_class(r, r->state.hierarchies[i].class) &&
		    !r->is_settled[r->state.hierarchies[i].class->id])
			old[i] = r->state.hierarchies[i].record;
	e = plan_compute(old, (const struct record *const *)r->wanted, r->state.n,
			 &r->plan);
	for (size_t i = 0; e == 0 && i < r->plan.n_steps; i++)
		if (r->renews[i] && r->plan.steps[i].action == PLAN_KEEP)
			r->plan.steps[i].action = PLAN_REPLACE;
	return e;
}

/* What is merged with this very content was judged when it was merged: attributes need no second look. */
static void note_known(struct route *r) {
	for (size_t i = 0; i < r->extensions.n; i++) {
		struct extension *x = r->extensions.items[i];

		for (size_t n = 0; x->fingerprint && n < r->state.n; n++) {
			const struct record *record = r->state.hierarchies[n].record;
			const struct record_layer *l =
				record ? record_find_layer(record, x->name.name) : NULL;

			if (l && l->fingerprint && record->class == x->class &&
			    strcmp(l->fingerprint, x->fingerprint) == 0)
				x->is_known = true;
		}
	}
}

static int digest_missing_inputs(struct route *r) {
	int e = 0;

	for (size_t c = 0; e == 0 && c < CLASS_COUNT; c++)
		if (r->options->classes[c] && !*r->inputs[c])
			e = inputs_digest(r, &classes[c]);
	return e;
}

/* discover.fallback: the versions that do not fit, and have a rival that may. How many are new, or -ENOMEM. */
static int note_losers(struct route *r) {
	int n = 0;

	for (size_t i = 0; i < r->extensions.n; i++) {
		const struct extension *x = r->extensions.items[i];

		if (extension_fits(x) || !x->has_rival ||
		    strv_contains(r->losers, x->path))
			continue;
		if (strv_append(&r->losers, x->path) < 0)
			return -ENOMEM;
		n++;
	}
	return n;
}

static void close_hierarchies(struct route *r) {
	for (size_t i = 0; i < r->n_hierarchies; i++)
		hierarchy_done(&r->hierarchies[i]);
	r->n_hierarchies = 0;
}

static enum exit_code examine_again(struct route *r) {
	int e;

	close_hierarchies(r);
	extensions_done(&r->extensions);
	discovery_done(&r->found);
	e = discover_all(r);
	return e < 0 ? route_fail(e, "discover the extensions") : EXIT_DONE;
}

/* Each round has one loser more than the one before, so there is an end. */
static enum exit_code examine_until_settled(struct route *r) {
	for (;;) {
		enum exit_code code = open_hierarchies(r);
		int losers;

		note_known(r);
		if (code == EXIT_DONE)
			code = examine_all(r);
		if (code != EXIT_DONE)
			return code;
		losers = digest_missing_inputs(r);
		if (losers == 0)
			losers = note_losers(r);
		if (losers <= 0)
			return losers < 0 ? route_fail(losers, "examine") : EXIT_DONE;
		code = examine_again(r);
		if (code != EXIT_DONE)
			return code;
	}
}

/* Whether hierarchy `i` is to be merged, and nothing has been said yet of who makes its tree. */
static bool lacks_backend(const struct route *r, size_t i) {
	return r->is_privileged && r->wanted[i] && !r->wanted[i]->backend;
}

static int choose_backend(struct route *r, size_t i) {
	return stack_choose(&r->hierarchies[i], &r->workshop, route_backend(r, i),
			    r->wanted[i]);
}

/*
 * switch.14: a tree of another back end than the one that is wanted is replaced. Overlayfs that shows the tree today
 * will do so, and is not tried beforehand.
 */
static int choose_backends(struct route *r) {
	int e = 0;

	for (size_t i = 0; e == 0 && i < r->n_hierarchies; i++) {
		const struct record *old = r->state.hierarchies[i].record;
		bool was_fuse = old && old->backend &&
				strcmp(old->backend, backend_text(BACKEND_FUSE)) == 0;

		if (lacks_backend(r, i) && (was_fuse || route_backend(r, i)))
			e = choose_backend(r, i);
	}
	return e;
}

enum exit_code route_tell_backends(struct route *r) {
	int e = 0;

	for (size_t i = 0; e == 0 && i < r->plan.n_steps; i++)
		if (lacks_backend(r, i) && r->plan.steps[i].action != PLAN_KEEP)
			e = choose_backend(r, i);
	return e < 0 ? route_fail(e, "see what overlayfs can do") : EXIT_DONE;
}

enum exit_code route_examine(struct route *r) {
	enum exit_code code = examine_until_settled(r);
	int e = 0;

	if (code != EXIT_DONE)
		return code;
	for (char **problem = r->trust.problems; problem && *problem; problem++)
		log_warning("%s", *problem);
	code = uppers_check(r);
	if (code != EXIT_DONE)
		return code;
	for (size_t i = 0; e == 0 && i < r->n_hierarchies; i++)
		if (hierarchy_is_wanted(&r->hierarchies[i]) &&
		    !r->is_settled[r->hierarchies[i].class->id])
			e = draft_record(r, i, &r->wanted[i]);
	if (e == 0)
		e = choose_backends(r);
	if (e == 0)
		e = compute_plan(r);
	return e < 0 ? route_fail(e, "plan") : EXIT_DONE;
}

enum exit_code route_survey(struct route *r, const struct options *o) {
	enum exit_code code = route_open(r, o);

	if (code == EXIT_DONE)
		code = route_enter(r);
	if (code == EXIT_DONE)
		code = route_discover(r);
	return code == EXIT_DONE ? route_examine(r) : code;
}

enum exit_code route_plan_removal(struct route *r) {
	int e = compute_plan(r);

	return e < 0 ? route_fail(e, "plan") : EXIT_DONE;
}

size_t route_count_skipped(const struct route *r) {
	size_t n = 0;

	for (size_t i = 0; i < r->extensions.n; i++) {
		const struct verdict *v = &r->extensions.items[i]->verdict;

		n += v->code != VERDICT_FITS && !verdict_is_quiet(v->code);
	}
	return n;
}

bool route_is_all_refused(const struct route *r) {
	size_t refused = 0;

	for (size_t i = 0; i < r->extensions.n; i++) {
		const struct verdict *v = &r->extensions.items[i]->verdict;

		if (!verdict_is_quiet(v->code) && !verdict_is_refusal(v->code))
			return false;
		refused += verdict_is_refusal(v->code);
	}
	return refused > 0;
}

uint64_t route_generation(const struct route *r) {
	uint64_t generation = 0;

	for (size_t i = 0; i < r->state.n; i++) {
		const struct record *record = r->state.hierarchies[i].record;

		if (record && record->generation > generation)
			generation = record->generation;
	}
	return generation;
}

const struct settings *route_settings(const struct route *r, size_t i) {
	static const struct settings none = { 0 };

	for (size_t n = 0; n < r->config.n_hierarchies; n++)
		if (strcmp(r->config.hierarchies[n].name, r->state.hierarchies[i].name) ==
		    0)
			return &r->config.hierarchies[n].settings;
	return &none;
}

void route_done(struct route *r) {
	workshop_done(&r->workshop);
	for (size_t i = 0; i < STATE_HIERARCHIES_MAX; i++) {
		route_submounts_done(&r->submounts[i]);
		record_free(r->wanted[i]);
	}
	close_hierarchies(r);
	uppers_done(r);
	plan_done(&r->plan);
	hooks_done(&r->hooks);
	extensions_done(&r->extensions);
	discovery_done(&r->found);
	strv_free(r->losers);
	host_done(&r->host);
	trust_done(&r->trust);
	for (size_t c = 0; c < CLASS_COUNT; c++)
		order_done(&r->orders[c]);
	config_done(&r->config);
	guard_done(&r->guard);
	state_done(&r->state);
	mounts_free(r->table);
	close_fdp(&r->base);
	close_fdp(&r->destination);
	close_fdp(&r->lock);
	close_fdp(&r->directory);
	close_fdp(&r->root);
}

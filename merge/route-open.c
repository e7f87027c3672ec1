/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where the route begins: the root, the lock, what is merged in which namespace, and the workshop. */
#include "route.h"

#include <sched.h>
#include <string.h>

#include "../verity/activate.h"
#include "file.h"
#include "kernel.h"
#include "log.h"
#include "memory.h"
#include "responsive.h"
#include "strv.h"
#include "submounts.h"
#include "uppers.h"

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

/* The same root, in a mount namespace that the process has come to. */
static enum exit_code open_again(struct route *r) {
	enum exit_code code;

	close_fdp(&r->root);
	close_fdp(&r->directory);
	code = open_directories(r);
	return code == EXIT_DONE ? read_state(r) : code;
}

static enum exit_code take_lock(struct route *r) {
	/* switch.18: another root may be one's own. */
	if (geteuid() != 0 && strcmp(r->options->root, "/") == 0) {
		log_error("Cannot change what is merged: root is needed");
		log_hint("list, plan and status work without");
		return EXIT_PRIVILEGE;
	}
	r->lock = state_lock(r->root, r->options->lock_wait);
	if (r->lock == -ETIMEDOUT) {
		log_error("Cannot take the lock: another extmerge run has held it for %u s",
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
	int r = submounts_list(m, hierarchy, &paths);

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
	enum exit_code code = open_again(r);

	forget_merged(&r->state);
	r->is_on_top = true;
	return code;
}

/* What is mounted on the hierarchy, and the memory that is written to, which is mounted in it as well. */
static int take_mounts(struct route *r, const struct mounts *m, size_t i, int fd) {
	int e = route_take_submounts(m, fd, &r->submounts[i]);

	if (e < 0 || r->state.hierarchies[i].kind != STATE_MERGED)
		return e;
	r->memories[i] = memory_take(fd);
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
	enum exit_code code = open_again(r);

	if (code == EXIT_DONE)
		code = heal(r);
	if (code == EXIT_DONE)
		code = route_shield(r);
	return code == EXIT_DONE ? take_service_submounts(r) : code;
}

enum exit_code route_open_service(struct route *r, const struct options *o,
				  int service_namespace) {
	enum exit_code code = open_root(r, o);
	_cleanup_close_ int root = -EBADF, namespace = -EBADF;
	int e;

	if (code == EXIT_DONE)
		code = take_lock(r);
	if (code != EXIT_DONE)
		return code;
	root = fcntl(r->root, F_DUPFD_CLOEXEC, 3);
	namespace = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
	r->destination = fcntl(service_namespace, F_DUPFD_CLOEXEC, 3);
	if (root < 0 || namespace < 0 || r->destination < 0 ||
	    setns(service_namespace, CLONE_NEWNS) < 0)
		return route_fail(-errno, "enter the service's namespace");
	code = look_at_service(r);
	e = setns(namespace, CLONE_NEWNS) < 0 || fchdir(root) < 0 || chroot(".") < 0
		    ? -errno
		    : 0;
	return e < 0 ? route_fail(e, "leave the service's namespace") : code;
}

static bool is_in(const struct route_submounts *s, const char *path) {
	for (size_t i = 0; i < s->n; i++)
		if (strcmp(s->items[i].path, path) == 0)
			return true;
	return false;
}

static int add_submounts(struct route_submounts *s, struct route_submounts *more) {
	struct stack_submount *grown = reallocarray(s->items, s->n + more->n + 1,
						    sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	s->items = grown;
	for (size_t i = 0; i < more->n; i++)
		if (!is_in(s, more->items[i].path)) {
			grown[s->n++] = more->items[i];
			more->items[i] = (struct stack_submount){ .fd = -EBADF };
		}
	return 0;
}

/* adopt.4: older ones of systemd-sysext's trees hide the host's mounts below the hierarchy; they are seen again. */
static int take_hidden(struct route *r) {
	_cleanup_(mounts_freep) struct mounts *m = NULL;
	int e = mounts_read(&m);

	for (size_t i = 0; e == 0 && i < r->state.n; i++) {
		const struct state_hierarchy *h = &r->state.hierarchies[i];
		_cleanup_close_ int fd = -EBADF;
		struct route_submounts own = { 0 };

		if (h->kind != STATE_PEER || r->destination >= 0 ||
		    !route_has_class(r, h->class))
			continue;
		fd = file_open_in(r->base, h->name, O_PATH | O_DIRECTORY);
		e = fd < 0 ? fd : route_take_submounts(m, fd, &own);
		if (e == 0)
			e = add_submounts(&r->submounts[i], &own);
		route_submounts_done(&own);
	}
	return e;
}

/* In the workshop's copy of the mount table, each hierarchy's submounts are taken and our trees off. */
static int strip_copy(struct route *r) {
	/* What is given by a relative name is looked for where the caller stands. */
	_cleanup_close_ int here = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
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
		e = state_peel(&copy, r->base, here < 0 ? r->base : here);
	if (e == 0)
		e = take_hidden(r);
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

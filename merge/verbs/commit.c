/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* extmerge commit: what was written in the merged trees becomes an extension of its own. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "../carry.h"
#include "../file.h"
#include "../handover.h"
#include "../holders.h"
#include "../log.h"
#include "../strv.h"
#include "../text.h"
#include "../transition.h"
#include "../uppers.h"
#include "../workdir.h"
#include "change.h"
#include "packing.h"
#include "verbs.h"

/* One call. */
struct commit {
	const struct options *options;
	const char *name;
	const struct class *class;
	bool is_image;
	struct route survey;   /* what was written over what */
	struct route change;   /* the extension in its place */
	const char *directory; /* where extensions are, below the root */
	int parent, stage;     /* it, and the tree that is made in it, under the name */
	char *stage_name, *entry;
	struct carry carry;
	struct written_left left[STATE_HIERARCHIES_MAX]; /* by the survey's hierarchies */
	bool is_stopped, is_published, is_changing;
	struct watch watch; /* while nobody can write */
};

/* "Cannot commit NAME: why". */
static enum exit_code fail(const struct commit *c, int error, const char *why) {
	log_error("Cannot commit '%s': %s", c->name, why ?: strerror(-error));
	return route_code(error);
}

static bool is_written(const struct commit *c, const struct state_hierarchy *h) {
	return route_has_class(&c->survey, h->class) && h->record &&
	       h->record->is_writable;
}

/* written.8: an extension has one class. */
static enum exit_code choose_class(struct commit *c) {
	for (size_t i = 0; i < c->survey.state.n; i++) {
		const struct state_hierarchy *h = &c->survey.state.hierarchies[i];

		if (!is_written(c, h))
			continue;
		if (c->class && c->class != h->class) {
			log_error(
				"Both sysexts' and confexts' hierarchies can be written, and an "
				"extension has one class");
			log_hint("--class=sysext or --class=confext says which");
			return EXIT_USAGE;
		}
		c->class = h->class;
	}
	if (c->class)
		return EXIT_DONE;
	(void)fail(c, -ENODATA, "nothing is merged that can be written");
	log_hint("extmerge refresh --mutable=yes lets what is merged be written");
	return EXIT_FAILED;
}

static enum exit_code check_name(struct commit *c) {
	struct name parsed;
	const char *why = "it is no name of an extension";
	int e = name_parse(c->name, NAME_DIRECTORY, c->class->suffix, &parsed, &why);

	if (e < 0) {
		log_error("'%s' cannot be the name of an extension: %s", c->name,
			  e == -ENOMEM ? strerror(ENOMEM) : why);
		return e == -ENOMEM ? EXIT_FAILED : EXIT_USAGE;
	}
	for (size_t i = 0; i < c->survey.extensions.n; i++) {
		const struct extension *x = c->survey.extensions.items[i];

		if (x->class == c->class && x->name.name &&
		    strcmp(x->name.name, parsed.name) == 0) {
			log_error("There is a %s called '%s' already: %s", c->class->name,
				  parsed.name, x->path);
			name_done(&parsed);
			return EXIT_FAILED;
		}
	}
	name_done(&parsed);
	return EXIT_DONE;
}

static enum exit_code survey(struct commit *c) {
	enum exit_code code = route_open_locked(&c->survey, c->options);
	int e;

	if (code == EXIT_DONE)
		code = choose_class(c);
	if (code == EXIT_DONE)
		code = route_enter(&c->survey);
	if (code == EXIT_DONE)
		code = route_discover(&c->survey);
	if (code == EXIT_DONE)
		code = route_examine(&c->survey);
	if (code == EXIT_DONE)
		code = check_name(c);
	if (code != EXIT_DONE)
		return code;
	e = workshop_leave(&c->survey.workshop);
	return e < 0 ? route_fail(e, "go back to the host's mount namespace") : EXIT_DONE;
}

static int open_parent(struct commit *c) {
	_cleanup_close_ int above = file_open_in(c->survey.root, "var/lib",
						 O_PATH | O_DIRECTORY);

	if (above < 0)
		return above;
	c->directory = class_lasting(c->class);
	if (mkdirat(above, strrchr(c->directory, '/') + 1, 0755) < 0 && errno != EEXIST)
		return -errno;
	c->parent = file_open_in(c->survey.root, c->directory, O_RDONLY | O_DIRECTORY);
	return c->parent < 0 ? c->parent : 0;
}

/*
 * Names with a dot in front are no extensions. What a killed run has left of this one goes away. Until it is complete only
 * root comes into it: the owner of a directory that is copied must not change it under our hands.
 */
static enum exit_code make_stage(struct commit *c) {
	int e = open_parent(c);

	if (e == 0) {
		c->stage_name = carry_stage_name(c->name);
		c->entry = c->is_image ? text_format("%s.raw", c->name) : strdup(c->name);
		e = c->stage_name && c->entry ? workdir_remove(c->parent, c->stage_name)
					      : -ENOMEM;
	}
	if (e == 0 && mkdirat(c->parent, c->stage_name, 0700) < 0)
		e = -errno;
	if (e == 0)
		c->stage = e = file_open_exact(c->parent, c->stage_name,
					       O_RDONLY | O_DIRECTORY);
	c->carry.tree = c->stage;
	return e < 0 ? fail(c, e, NULL) : EXIT_DONE;
}

/* written.8: what is written while it is copied would be in neither. */
static enum exit_code stop_writers(struct commit *c) {
	const struct handover_place place = { c->survey.root, c->survey.directory };
	struct handover trees[STATE_HIERARCHIES_MAX];
	_cleanup_free_ char *holder = NULL;
	size_t n = 0, busy = 0;
	int e;

	c->is_stopped = true;
	transition_watch(&c->survey, &c->watch);
	for (size_t i = 0; i < c->survey.state.n; i++) {
		const struct state_hierarchy *h = &c->survey.state.hierarchies[i];

		if (is_written(c, h))
			trees[n++] = (struct handover){ h->name, .tree = h->fd };
	}
	e = handover_stop(&place, trees, n, c->options->writers_wait, &busy);
	if (e != -ETIMEDOUT)
		return e < 0 ? fail(c, e, NULL) : EXIT_DONE;
	(void)holders_count(trees[busy].tree, &holder);
	log_error("Cannot commit '%s': a file in /%s is open for writing%s%s", c->name,
		  trees[busy].name, holder ? ", by " : "", holder ?: "");
	return route_code(e);
}

/* The trees that are seen now, whichever they are: mounts of the host's namespace. */
static void start_writers(struct commit *c) {
	if (c->is_changing)
		(void)workshop_leave(&c->change.workshop);
	(void)workshop_leave(&c->survey.workshop);
	for (size_t i = 0; i < c->survey.state.n; i++) {
		const struct state_hierarchy *h = &c->survey.state.hierarchies[i];
		_cleanup_close_ int fd = is_written(c, h)
						 ? file_open_in(c->survey.root, h->name,
								O_PATH | O_DIRECTORY)
						 : -EBADF;

		if (fd >= 0 && handover_resume(fd) < 0)
			log_warning("Cannot make /%s writable again; extmerge refresh does",
				    h->name);
	}
}

static enum exit_code carry_one(struct commit *c, size_t i) {
	const struct state_hierarchy *h = &c->survey.state.hierarchies[i];
	_cleanup_close_ int upper = uppers_open_merged(&c->survey, i);
	int e = upper < 0 ? upper
			  : carry_layer(&c->carry, &c->survey.hierarchies[i], upper,
					&c->left[i]);

	if (upper == -EXDEV)
		return fail(c, e,
			    "what was written is in the host's own directory already");
	if (upper == -ESTALE)
		return fail(c, e,
			    "what was written is not where it was when it was merged");
	if (e < 0)
		log_error("Cannot copy what was written in /%s: %s", h->name,
			  strerror(-e));
	return e < 0 ? route_code(e) : EXIT_DONE;
}

/* written.9 */
static enum exit_code tell_left(const struct commit *c) {
	size_t n = 0;

	for (size_t i = 0; i < STATE_HIERARCHIES_MAX; i++)
		for (size_t k = 0; k < c->left[i].n; k++, n++)
			log_warning("/%s/%s stays where it was written: %s",
				    c->survey.state.hierarchies[i].name,
				    c->left[i].items[k].path, c->left[i].items[k].why);
	if (n == 0 || !c->options->strict)
		return EXIT_DONE;
	log_error(
		"Cannot commit all: an extension cannot carry %zu of it, and --strict is given",
		n);
	log_hint("nothing was changed");
	return EXIT_SKIPPED;
}

static enum exit_code carry_all(struct commit *c) {
	enum exit_code code = EXIT_DONE;
	int e;

	for (size_t i = 0; code == EXIT_DONE && i < c->survey.n_hierarchies; i++)
		if (is_written(c, &c->survey.state.hierarchies[i]))
			code = carry_one(c, i);
	if (code == EXIT_DONE)
		code = tell_left(c);
	if (code == EXIT_DONE && c->carry.n == 0)
		return fail(c, -ENODATA,
			    "nothing was written that an extension could carry");
	if (code != EXIT_DONE)
		return code;
	e = carry_release(&c->carry, c->class, c->name);
	if (e == 0 && fchmod(c->stage, 0755) < 0)
		e = -errno;
	if (e == 0 && syncfs(c->stage) < 0)
		e = -errno;
	return e < 0 ? fail(c, e, NULL) : EXIT_DONE;
}

static enum exit_code pack_paths(const struct commit *c, char *source, char *target) {
	char *operands[] = { source, target, NULL };
	struct options o = *c->options;

	if (!source || !target)
		return fail(c, -ENOMEM, NULL);
	o.operands = operands;
	return packing_run(&o, false);
}

/* By the directory that is open: below another root its path may be a symlink, which means something else here. */
static enum exit_code pack_stage(struct commit *c) {
	char parent[FILE_FD_PATH_MAX];
	_cleanup_free_ char *source = NULL, *target = NULL;

	file_fd_path(c->parent, parent);
	source = text_format("%s/%s", parent, c->stage_name);
	target = text_format("%s/%s", parent, c->entry);
	return pack_paths(c, source, target);
}

static enum exit_code publish(struct commit *c) {
	enum exit_code code = c->is_image ? pack_stage(c) : EXIT_DONE;
	int e = 0;

	if (code != EXIT_DONE)
		return code;
	if (c->is_image)
		e = workdir_remove(c->parent, c->stage_name);
	else if (renameat2(c->parent, c->stage_name, c->parent, c->entry,
			   RENAME_NOREPLACE) < 0)
		e = -errno;
	c->is_published = c->is_image || e == 0;
	if (e == 0 && fsync(c->parent) < 0)
		e = -errno;
	return e < 0 ? fail(c, e, NULL) : EXIT_DONE;
}

static const struct extension *find_own(const struct commit *c) {
	for (size_t i = 0; i < c->change.extensions.n; i++) {
		const struct extension *x = c->change.extensions.items[i];
		const char *entry = x->path ? strrchr(x->path, '/') : NULL;

		if (x->class == c->class && entry && strcmp(entry + 1, c->entry) == 0)
			return x;
	}
	return NULL;
}

static unsigned find_layer(const struct hierarchy *h, const struct extension *x) {
	for (size_t i = 0; i < h->n_layers; i++)
		if (h->layers[i].extension == x)
			return (unsigned)i + 1;
	return 0;
}

/* Whether the file is seen from the new layer, or another lies above it. */
static bool is_supplied(const struct commit *c, const struct extension *x,
			const char *path) {
	for (size_t i = 0; i < c->change.n_hierarchies; i++) {
		const struct hierarchy *h = &c->change.hierarchies[i];
		size_t len = strlen(h->name);
		unsigned number = find_layer(h, x);

		if (strncmp(path, h->name, len) == 0 && path[len] == '/')
			return number > 0 && hierarchy_supplies(h, path + len + 1, number);
	}
	return false;
}

/* written.11: what is seen afterwards has to be what is seen before. */
static enum exit_code check_extension(const struct commit *c) {
	const struct extension *x = find_own(c);

	if (!x || !extension_fits(x)) {
		log_error("Cannot commit '%s': it would not be merged: %s", c->name,
			  x && x->verdict.text ? x->verdict.text : "it is not found");
		return EXIT_FAILED;
	}
	for (char **path = c->carry.paths; path && *path; path++) {
		if (is_supplied(c, x, *path))
			continue;
		log_error("Cannot commit '%s': another extension would lie above its /%s",
			  c->name, *path);
		log_hint("another name, or After= in [Extension %s], puts it higher",
			 c->name);
		return EXIT_FAILED;
	}
	return EXIT_DONE;
}

/* With the same lock, a refresh that finds the extension, and empties what was written. */
static enum exit_code change(struct commit *c) {
	enum exit_code code = route_open(&c->change, c->options);
	bool is_settled;

	c->is_changing = true;
	c->change.lock = TAKE_FD(c->survey.lock);
	c->change.watch = &c->watch;
	for (size_t i = 0; code == EXIT_DONE && i < c->change.state.n; i++) {
		struct state_hierarchy *h = &c->change.state.hierarchies[i];

		for (size_t k = 0; k < c->survey.state.n; k++)
			if (strcmp(c->survey.state.hierarchies[k].name, h->name) == 0 &&
			    is_written(c, h)) {
				c->change.renews[i] = true;
				c->change.keeps[i] = &c->left[k];
			}
	}
	if (code == EXIT_DONE)
		code = change_examine(&c->change, &is_settled);
	if (code == EXIT_DONE)
		code = check_extension(c);
	return code == EXIT_DONE ? change_apply(&c->change) : code;
}

static enum exit_code work(struct commit *c) {
	static enum exit_code (*const steps[])(struct commit *) = {
		survey, make_stage, stop_writers, carry_all, publish, change,
	};
	enum exit_code code = EXIT_DONE;

	for (size_t i = 0; code == EXIT_DONE && i < ARRAY_SIZE(steps); i++)
		code = steps[i](c);
	if (code != EXIT_DONE && c->is_published)
		(void)workdir_remove(c->parent, c->entry);
	if (code != EXIT_DONE && c->is_stopped)
		start_writers(c);
	if (c->parent >= 0 && c->stage_name)
		(void)workdir_remove(c->parent, c->stage_name);
	if (code == EXIT_DONE)
		log_notice("/%s/%s  made of what was written: %zu entr%s", c->directory,
			   c->entry, c->carry.n, c->carry.n == 1 ? "y" : "ies");
	return code;
}

static enum exit_code run(const struct options *o) {
	struct commit c = { .options = o,
			    .name = o->operands[0],
			    .is_image = o->format || o->key || o->certificate,
			    .parent = -EBADF,
			    .stage = -EBADF,
			    .carry.tree = -EBADF,
			    .watch = WATCH_NONE };
	enum exit_code code = work(&c);

	watch_end(&c.watch);
	if (c.is_changing)
		route_done(&c.change);
	route_done(&c.survey);
	for (size_t i = 0; i < STATE_HIERARCHIES_MAX; i++)
		written_left_done(&c.left[i]);
	carry_done(&c.carry);
	close_fdp(&c.stage);
	close_fdp(&c.parent);
	free(c.stage_name);
	free(c.entry);
	return code;
}

const struct verb verb_commit = {
	.name = "commit",
	.operands = "NAME",
	.help = "Make an extension of what was written",
	.min = 1,
	.max = 1,
	.run = run,
};

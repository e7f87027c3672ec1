/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The route: the steps that the verbs are made of. */
#include "route.h"

#include <fcntl.h>
#include <string.h>
#include <time.h>

#include "digest.h"
#include "discover.h"
#include "file.h"
#include "image.h"
#include "kernel.h"
#include "log.h"
#include "strv.h"
#include "text.h"

/* The exit code that an error of the system stands for. */
static enum exit_code code_of(int error) {
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

static enum exit_code fail(int error, const char *what) {
	log_error("Cannot %s: %s", what, strerror(-error));
	return code_of(error);
}

enum exit_code route_open(struct route *r, const struct options *o) {
	int e;

	*r = (struct route)ROUTE_NONE;
	r->options = o;
	r->root = open(o->root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (r->root < 0) {
		log_error("Cannot open the root '%s': %s", o->root, strerror(errno));
		return EXIT_USAGE;
	}
	r->directory = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (r->directory < 0)
		return fail(-errno, "open the working directory");
	e = state_read(r->root, &r->state);
	return e < 0 ? fail(e, "read the mount table") : EXIT_DONE;
}

static enum exit_code read_state_again(struct route *r) {
	int e;

	state_done(&r->state);
	e = state_read(r->root, &r->state);
	return e < 0 ? fail(e, "read the mount table") : EXIT_DONE;
}

enum exit_code route_lock(struct route *r) {
	int healed;

	if (geteuid() != 0) {
		log_error("Cannot change what is merged: root is needed");
		log_hint("list, plan and status work without");
		return EXIT_PRIVILEGE;
	}
	r->lock = state_lock(r->root, r->options->lock_wait);
	if (r->lock == -ETIMEDOUT) {
		log_error("Cannot take the lock: another extmerge run has held it for %u seconds",
			  r->options->lock_wait / 1000);
		return EXIT_LOCKED;
	}
	if (r->lock < 0)
		return fail(r->lock, "take the lock");
	healed = state_heal(r->root, r->directory);
	if (healed < 0)
		return fail(healed, "finish what an interrupted run began");
	if (healed > 0)
		log_notice("Finished the switch that an interrupted run had begun.");
	return read_state_again(r);
}

/* Clones what is mounted below the hierarchy, before our tree is taken off in the workshop. */
static int take_submounts(int hierarchy, struct route_submounts *ret) {
	_cleanup_strv_ char **paths = NULL;
	int r = state_submounts(hierarchy, &paths);

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

/* In the workshop's copy of the mount table, each hierarchy's submounts are taken and our trees off. */
static int strip_copy(struct route *r) {
	struct state copy;
	int e = state_read(r->base, &copy);

	if (e < 0)
		return e;
	for (size_t i = 0; e == 0 && i < copy.n; i++)
		if (copy.hierarchies[i].fd >= 0 &&
		    route_has_class(r, copy.hierarchies[i].class))
			e = take_submounts(copy.hierarchies[i].fd, &r->submounts[i]);
	state_done(&copy);
	return e < 0 ? e : state_peel(r->base, r->base);
}

/*
 * Everything is read below the workshop's root, where no extension is merged: what an extension brings
 * must have no say in what is discovered or matched.
 */
enum exit_code route_enter(struct route *r) {
	int e = workshop_enter(&r->workshop);

	r->is_privileged = e == 0;
	if (e < 0 && e != -EPERM)
		return fail(e, "make a mount namespace to work in");
	r->base = open(r->options->root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (r->base < 0)
		return fail(-errno, "open the root");
	e = r->is_privileged ? strip_copy(r) : 0;
	return e < 0 ? fail(e, "look below what is merged") : EXIT_DONE;
}

static void digest_extension(struct digest *d, const struct extension *e) {
	digest_add_text(d, e->name.full);
	digest_add_text(d, e->path);
	digest_add_text(d, verdict_word(e->verdict.code));
	digest_add_text(d, e->fingerprint);
}

/* All that the result depends on (specs: record.2). */
static int digest_inputs(struct route *r, const struct class *class) {
	_cleanup_(digest_freep) struct digest *d = NULL;
	static const char *const keys[] = { "ID", "ID_LIKE", "VERSION_ID" };
	int e = digest_new(&d);

	if (e < 0)
		return e;
	digest_add_text(d, PACKAGE_VERSION);
	digest_add_text(d, r->host.architecture);
	digest_add_text(d, r->host.scope);
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		digest_add_text(d, release_get(r->host.release, keys[i]));
	digest_add_text(d, release_get(r->host.release, class->level_key));
	digest_add_text(d, r->options->force_all ? "force" : NULL);
	for (char *const *name = r->options->force; name && *name; name++)
		digest_add_text(d, *name);
	for (size_t i = 0; i < r->extensions.n; i++)
		if (r->extensions.items[i]->class == class)
			digest_extension(d, r->extensions.items[i]);
	return digest_finish(d, r->inputs[class->id]);
}

static int discover_class(struct route *r, const struct class *class) {
	int e = discover(r->base, class, &r->host, &r->extensions, &r->problems);

	for (size_t i = 0; e == 0 && i < r->extensions.n; i++)
		if (r->extensions.items[i]->class == class && r->extensions.items[i]->fd >= 0)
			e = image_fingerprint(r->extensions.items[i]);
	return e < 0 ? e : digest_inputs(r, class);
}

enum exit_code route_discover(struct route *r) {
	const char *why = NULL;
	int e = host_read(r->base, &r->host, &why);

	if (e < 0) {
		log_error("Cannot tell what this host is: %s (%s)", why ?: "os-release",
			  strerror(-e));
		log_hint("there must be an /etc/os-release or /usr/lib/os-release below '%s'",
			 r->options->root);
		return EXIT_FAILED;
	}
	for (size_t c = 0; e == 0 && c < CLASS_COUNT; c++)
		if (r->options->classes[c])
			e = discover_class(r, &classes[c]);
	if (e < 0)
		return fail(e, "discover the extensions");
	for (char **problem = r->problems; problem && *problem; problem++)
		log_warning("%s", *problem);
	return EXIT_DONE;
}

static bool class_is_current(const struct route *r, const struct class *class) {
	_cleanup_free_ char *with = NULL;
	const struct record *any = NULL;

	for (size_t i = 0; i < r->state.n; i++) {
		const struct state_hierarchy *h = &r->state.hierarchies[i];

		if (h->class != class)
			continue;
		if (h->kind == STATE_PLAIN)
			continue;
		if (h->kind != STATE_MERGED || h->stacked != 1 || !h->record ||
		    !h->record->inputs || strcmp(h->record->inputs, r->inputs[class->id]) != 0)
			return false;
		any = h->record;
	}
	if (!any)
		return false;
	/* A hierarchy that somebody unmounted is missing in the words of the others. */
	for (size_t i = 0; any->with && i < r->state.n; i++) {
		const struct state_hierarchy *h = &r->state.hierarchies[i];

		if (h->class == class &&
		    (strstr(any->with, h->name) != NULL) != (h->kind == STATE_MERGED))
			return false;
	}
	return true;
}

static bool has_skipped(const struct record *record) {
	for (size_t i = 0; i < record->n_skipped; i++)
		if (!verdict_is_quiet(record->skipped[i].code))
			return true;
	return false;
}

/* Whether there is anything of the class, merged or to merge. */
static bool class_is_there(const struct route *r, const struct class *class) {
	for (size_t i = 0; i < r->extensions.n; i++)
		if (r->extensions.items[i]->class == class)
			return true;
	for (size_t i = 0; i < r->state.n; i++)
		if (r->state.hierarchies[i].class == class &&
		    r->state.hierarchies[i].kind != STATE_PLAIN)
			return true;
	return false;
}

/* With --strict, what was skipped last time is an error now. */
static bool class_has_skipped(const struct route *r, const struct class *class) {
	for (size_t i = 0; i < r->state.n; i++)
		if (r->state.hierarchies[i].class == class && r->state.hierarchies[i].record &&
		    has_skipped(r->state.hierarchies[i].record))
			return true;
	return false;
}

bool route_settle(struct route *r) {
	bool all = true;

	for (size_t c = 0; c < CLASS_COUNT; c++) {
		const struct class *class = &classes[c];

		r->is_settled[c] = !r->options->classes[c] || !class_is_there(r, class) ||
				   (class_is_current(r, class) &&
				    !(r->options->strict && class_has_skipped(r, class)));
		all = all && r->is_settled[c];
	}
	return all;
}

static enum exit_code examine_all(struct route *r) {
	const struct examine_options o = {
		.host = &r->host,
		.workshop = r->is_privileged ? &r->workshop : NULL,
		.force_all = r->options->force_all,
		.force = r->options->force,
	};

	for (size_t i = 0; i < r->extensions.n; i++) {
		struct extension *x = r->extensions.items[i];
		size_t first = 0, n = 0;
		int e;

		if (r->is_settled[x->class->id])
			continue;
		while (r->hierarchies[first].class != x->class)
			first++;
		for (n = first; n < r->n_hierarchies && r->hierarchies[n].class == x->class; n++)
			;
		e = examine(x, &o, &r->hierarchies[first], n - first);
		if (e < 0) {
			log_error("Cannot examine '%s': %s", x->path, strerror(-e));
			return code_of(e);
		}
	}
	return EXIT_DONE;
}

static enum exit_code open_hierarchies(struct route *r) {
	for (size_t i = 0; i < r->state.n; i++) {
		const struct state_hierarchy *h = &r->state.hierarchies[i];
		int e = hierarchy_open(&r->hierarchies[i], h->class, h->name, r->base);

		if (e < 0) {
			log_error("Cannot open the host's own /%s: %s", h->name, strerror(-e));
			return code_of(e);
		}
		r->n_hierarchies++;
		for (size_t n = 0; e == 0 && n < r->submounts[i].n; n++)
			e = strv_append(&r->hierarchies[i].mounts, r->submounts[i].items[n].path);
		if (e < 0)
			return fail(e, "plan");
	}
	return EXIT_DONE;
}

static int copy_text(char **to, const char *from) {
	*to = from ? strdup(from) : NULL;
	return from && !*to ? -ENOMEM : 0;
}

/* "docker (11), net-cli (2)": whose files the layer hides, uppermost first. */
static int describe_hidden(const struct hierarchy *h, const struct layer *l, size_t number,
			   struct record_layer *to) {
	to->hides_host = l->hides_host;
	for (size_t i = number; i > 0; i--) {
		char *text;

		if (l->hides[i - 1] == 0)
			continue;
		to->hides_others += l->hides[i - 1];
		text = text_format("%s%s%s (%u)", to->hides ?: "", to->hides ? ", " : "",
				   h->layers[i - 1].extension->name.name, l->hides[i - 1]);
		if (!text)
			return -ENOMEM;
		free(to->hides);
		to->hides = text;
	}
	return 0;
}

/* What a person should know about the layer besides what it hides: the first thing of these. */
static int describe_note(const struct hierarchy *h, const struct layer *l, char **ret) {
	if (l->extension->forced.text)
		return copy_text(ret, l->extension->forced.text);
	if (l->covered) {
		*ret = text_format("nothing of it below /%s/%s is seen: the host has a mount there",
				   h->name, l->covered);
		return *ret ? 0 : -ENOMEM;
	}
	return copy_text(ret, l->extension->note);
}

static int record_layers(const struct hierarchy *h, struct record *record) {
	for (size_t i = h->n_layers; i > 0; i--) {
		const struct layer *l = &h->layers[i - 1];
		const struct extension *x = l->extension;
		struct record_layer *to = record_add_layer(record);

		if (!to || copy_text(&to->name, x->name.name) < 0 ||
		    copy_text(&to->version, x->name.version) < 0 ||
		    copy_text(&to->path, x->path) < 0 ||
		    copy_text(&to->format, extension_format_word(x)) < 0 ||
		    copy_text(&to->fingerprint, x->fingerprint) < 0 ||
		    copy_text(&to->trust, "unprotected") < 0 ||
		    describe_note(h, l, &to->note) < 0 ||
		    describe_hidden(h, l, i - 1, to) < 0)
			return -ENOMEM;
		to->size = x->size;
	}
	return 0;
}

static int record_skips(const struct route *r, struct record *record) {
	for (size_t i = 0; i < r->extensions.n; i++) {
		const struct extension *x = r->extensions.items[i];
		struct record_skipped *to;

		if (x->class != record->class || extension_fits(x))
			continue;
		to = record_add_skipped(record);
		if (!to || copy_text(&to->name, x->name.name) < 0 ||
		    copy_text(&to->version, x->name.version) < 0 ||
		    copy_text(&to->path, x->path) < 0 ||
		    copy_text(&to->text, x->verdict.text) < 0)
			return -ENOMEM;
		to->code = x->verdict.code;
	}
	return 0;
}

/* The names of the hierarchies of the class that have layers. */
static char *merged_together(const struct route *r, const struct class *class) {
	char *text = strdup("");

	for (size_t i = 0; text && i < r->n_hierarchies; i++) {
		const struct hierarchy *h = &r->hierarchies[i];
		char *longer;

		if (h->class != class || h->n_layers == 0)
			continue;
		longer = text_format("%s%s%s", text, *text ? " " : "", h->name);
		free(text);
		text = longer;
	}
	return text;
}

static int make_record(const struct route *r, size_t i, struct record **ret) {
	const struct hierarchy *h = &r->hierarchies[i];
	_cleanup_(record_freep) struct record *record = record_new(h->class, h->name);
	int e = record ? 0 : -ENOMEM;

	if (e < 0)
		return e;
	record->generation = route_generation(r) + 1;
	record->since = time(NULL);
	/* A directory that we made stays ours to remove, over all refreshes. */
	record->created = h->base < 0 || (r->state.hierarchies[i].record &&
					  r->state.hierarchies[i].record->created);
	record->with = merged_together(r, h->class);
	e = record->with ? copy_text(&record->inputs, r->inputs[h->class->id]) : -ENOMEM;
	if (e == 0)
		e = record_layers(h, record);
	if (e == 0)
		e = record_skips(r, record);
	if (e == 0)
		*ret = TAKE_PTR(record);
	return e;
}

static int compute_plan(struct route *r) {
	const struct record *old[STATE_HIERARCHIES_MAX] = { NULL };

	for (size_t i = 0; i < r->state.n; i++)
		if (route_has_class(r, r->state.hierarchies[i].class) &&
		    !r->is_settled[r->state.hierarchies[i].class->id])
			old[i] = r->state.hierarchies[i].record;
	return plan_compute(old, (const struct record *const *)r->wanted, r->state.n, &r->plan);
}

enum exit_code route_examine(struct route *r) {
	enum exit_code code = open_hierarchies(r);
	int e = 0;

	if (code == EXIT_DONE)
		code = examine_all(r);
	if (code != EXIT_DONE)
		return code;
	for (size_t i = 0; e == 0 && i < r->n_hierarchies; i++)
		if (r->hierarchies[i].n_layers > 0)
			e = make_record(r, i, &r->wanted[i]);
	if (e == 0)
		e = compute_plan(r);
	return e < 0 ? fail(e, "plan") : EXIT_DONE;
}

enum exit_code route_plan_removal(struct route *r) {
	int e = compute_plan(r);

	return e < 0 ? fail(e, "plan") : EXIT_DONE;
}

/* specs: switch.7: what others have mounted there is named and left alone. */
static enum exit_code refuse_foreign(const struct route *r) {
	for (size_t i = 0; i < r->state.n; i++) {
		const struct state_hierarchy *h = &r->state.hierarchies[i];

		if (!route_has_class(r, h->class))
			continue;
		if (h->kind == STATE_COVERED) {
			log_error("Cannot switch /%s: %s is mounted on top of extmerge's tree",
				  h->name, h->other);
			log_hint("unmount it, then run extmerge refresh again");
			return EXIT_FAILED;
		}
		if (h->kind == STATE_PEER && r->wanted[i]) {
			log_error("Cannot switch /%s: systemd-%s has merged it", h->name,
				  h->class->name);
			log_hint("systemd-%s unmerge; and systemctl mask systemd-%s.service, "
				 "so that it stays so", h->class->name, h->class->name);
			return EXIT_FAILED;
		}
	}
	return EXIT_DONE;
}

static enum exit_code build(struct route *r, size_t i) {
	const struct route_submounts *s = &r->submounts[i];
	_cleanup_free_ char *why = NULL;
	int e = stack_build(&r->hierarchies[i], &r->workshop, r->wanted[i], s->items, s->n,
			    &r->stacks[i], &why);

	if (e == 0)
		e = hierarchy_choose_witness(&r->hierarchies[i]);
	if (e == 0)
		return EXIT_DONE;
	log_error("Cannot build the new /%s: %s", r->hierarchies[i].name,
		  why ?: strerror(-e));
	return code_of(e);
}

static bool is_in(const struct route_submounts *s, const char *path) {
	for (size_t i = 0; i < s->n; i++)
		if (strcmp(s->items[i].path, path) == 0)
			return true;
	return false;
}

/* What is mounted on the merged tree, but not on the host's own directory below it. */
static int find_carried(struct route *r, size_t i, struct route_submounts *ret) {
	_cleanup_close_ int below = file_open_in(r->base, r->state.hierarchies[i].name,
						 O_PATH | O_DIRECTORY);
	struct route_submounts own = { 0 };
	int e = below < 0 ? 0 : take_submounts(below, &own);

	ret->items = calloc(r->submounts[i].n + 1, sizeof(*ret->items));
	if (!ret->items)
		e = -ENOMEM;
	for (size_t n = 0; e == 0 && n < r->submounts[i].n; n++)
		if (!is_in(&own, r->submounts[i].items[n].path))
			ret->items[ret->n++] = r->submounts[i].items[n];
	for (size_t n = 0; n < own.n; n++) {
		close_fdp(&own.items[n].fd);
		free(own.items[n].path);
	}
	free(own.items);
	return e;
}

static bool will_switch(const struct plan_step *s) {
	return s->action != PLAN_NOTHING && s->action != PLAN_KEEP;
}

static enum exit_code build_all(struct route *r) {
	enum exit_code code = EXIT_DONE;

	for (size_t i = 0; code == EXIT_DONE && i < r->plan.n_steps; i++)
		if (will_switch(&r->plan.steps[i]) && r->wanted[i])
			code = build(r, i);
	return code;
}

static void make_step(struct route *r, size_t i, const struct route_submounts *carried,
		      struct apply_step *s) {
	const struct state_hierarchy *h = &r->state.hierarchies[i];

	*s = (struct apply_step){
		.name = h->name,
		.action = r->plan.steps[i].action,
		.old = h->kind == STATE_MERGED ? h->fd : -EBADF,
		.tree = r->stacks[i].tree,
		.h = &r->hierarchies[i],
		.create = h->fd < 0,
		.remove = h->record && h->record->created,
		.carried = carried->items,
		.n_carried = carried->n,
	};
}

/* A gap is said aloud, in the record as well, which is in use by now. */
static void note_gap(struct route *r, const struct apply_step *steps) {
	for (size_t i = 0; i < r->state.n; i++) {
		if (steps[i].gap == 0 || !r->wanted[i])
			continue;
		if (steps[i].gap > r->gap)
			r->gap = steps[i].gap;
		r->wanted[i]->gap = steps[i].gap;
		if (stack_write_record(r->stacks[i].meta, r->wanted[i]) < 0)
			log_warning("Cannot note the gap of /%s in its record", steps[i].name);
	}
}

static enum exit_code switch_all(struct route *r, const struct route_submounts *carried) {
	struct apply_step steps[STATE_HIERARCHIES_MAX];
	_cleanup_free_ char *why = NULL;
	int e;

	for (size_t i = 0; i < r->state.n; i++)
		make_step(r, i, &carried[i], &steps[i]);
	e = apply(r->root, r->directory, steps, r->state.n, &why);
	if (e < 0) {
		log_error("Cannot switch: %s", why ?: strerror(-e));
		log_hint("what was merged before is still in place");
		return code_of(e);
	}
	note_gap(r, steps);
	return EXIT_DONE;
}

enum exit_code route_apply(struct route *r) {
	struct route_submounts carried[STATE_HIERARCHIES_MAX] = { 0 };
	enum exit_code code = refuse_foreign(r);
	int e = 0;

	if (code != EXIT_DONE || !plan_has_work(&r->plan))
		return code;
	if (!r->is_privileged) {
		log_error("Cannot mount: this process lacks CAP_SYS_ADMIN");
		return EXIT_PRIVILEGE;
	}
	for (size_t i = 0; i < r->state.n; i++)
		r->stacks[i] = (struct stack){ .tree = -EBADF, .meta = -EBADF };
	code = build_all(r);
	for (size_t i = 0; code == EXIT_DONE && e == 0 && i < r->plan.n_steps; i++)
		if (r->plan.steps[i].action == PLAN_UNMERGE)
			e = find_carried(r, i, &carried[i]);
	if (e == 0)
		e = workshop_leave(&r->workshop);
	if (code == EXIT_DONE && e < 0)
		code = fail(e, "go back to the host's mount namespace");
	if (code == EXIT_DONE)
		code = switch_all(r, carried);
	for (size_t i = 0; i < r->state.n; i++) {
		free(carried[i].items); /* the fds are those of r->submounts */
		stack_done(&r->stacks[i]);
	}
	return code;
}

size_t route_count_skipped(const struct route *r) {
	size_t n = 0;

	for (size_t i = 0; i < r->extensions.n; i++) {
		const struct verdict *v = &r->extensions.items[i]->verdict;

		n += v->code != VERDICT_FITS && !verdict_is_quiet(v->code);
	}
	return n;
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

void route_done(struct route *r) {
	workshop_done(&r->workshop);
	for (size_t i = 0; i < STATE_HIERARCHIES_MAX; i++) {
		for (size_t n = 0; n < r->submounts[i].n; n++) {
			close_fdp(&r->submounts[i].items[n].fd);
			free(r->submounts[i].items[n].path);
		}
		free(r->submounts[i].items);
		record_free(r->wanted[i]);
	}
	for (size_t i = 0; i < r->n_hierarchies; i++)
		hierarchy_done(&r->hierarchies[i]);
	plan_done(&r->plan);
	extensions_done(&r->extensions);
	strv_free(r->problems);
	host_done(&r->host);
	state_done(&r->state);
	close_fdp(&r->base);
	close_fdp(&r->lock);
	close_fdp(&r->directory);
	close_fdp(&r->root);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is written, over all hierarchies of a run. */
#include "uppers.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>

#include "carry.h"
#include "draft.h"
#include "file.h"
#include "inputs.h"
#include "log.h"
#include "memory.h"
#include "renewal.h"
#include "text.h"
#include "workdir.h"

static enum exit_code refuse(const char *name, int error, const char *why) {
	log_error("Cannot make /%s writable: %s", name, why ?: strerror(-error));
	log_hint("extmerge(8), MUTABLE HIERARCHIES, says what its directory in /" UPPER_STORE
		 " must be");
	return EXIT_FAILED;
}

/* written.5: in memory as well, the tree of which is still merged. */
static enum exit_code renew(struct route *r, size_t i) {
	const char *name = r->state.hierarchies[i].name;
	struct upper *u = &r->uppers[i];
	_cleanup_free_ char *why = NULL;
	int e;

	if (mutable_forgets(u->mode))
		u->memory = TAKE_FD(r->memories[i]);
	e = renewal_begin(u, r->base, r->keeps[i], &why);
	if (e != -ENODATA)
		return e < 0 ? refuse(name, e, why) : EXIT_DONE;
	log_error("Cannot empty what was written in /%s: a refresh would %s", name,
		  u->is_host ? "write to the host's own directory"
			     : "not write there any more");
	return EXIT_FAILED;
}

/* A directory that we made for the merge is none of the host's, and has no look of its own (switch.9). */
static int own_base(int base) {
	return state_is_made(base) ? -EBADF : base;
}

/* A link that leads to it leads nowhere: it goes with the tree. */
static void forget_made(struct upper *u, int base, const char *name) {
	struct stat made, st;

	if (u->directory < 0 || !state_is_made(base) || fstat(base, &made) < 0 ||
	    fstat(u->directory, &st) < 0 || made.st_dev != st.st_dev ||
	    made.st_ino != st.st_ino)
		return;
	upper_done(u);
	u->note = text_format("its directory leads to /%s, which the host does not have",
			      name);
}

/* Without privilege nothing can be merged, and not all be seen: what is merged is what is there. */
static int assume(struct route *r, size_t i, enum mutable_mode mode) {
	const struct record *record = r->state.hierarchies[i].record;
	struct upper *u = &r->uppers[i];

	if (!record || !record->upper || !record->upper_id)
		return 0;
	u->mode = mode;
	u->is_writable = mutable_keeps(mode);
	u->is_imported = mutable_imports(mode);
	u->path = strdup(record->upper);
	u->known_id = strdup(record->upper_id);
	return u->path && u->known_id ? 0 : -ENOMEM;
}

static enum exit_code find_one(struct route *r, size_t i) {
	const char *name = r->state.hierarchies[i].name;
	const struct config_hierarchy *c = config_find_hierarchy(&r->config, name);
	_cleanup_close_ int base = file_open_in(r->base, name, O_PATH | O_DIRECTORY);
	_cleanup_free_ char *why = NULL;
	int e;

	if (!c || r->state.hierarchies[i].is_left || !route_has_class(r, c->class))
		return EXIT_DONE;
	e = upper_find(r->base, name, own_base(base), c->settings.mutable, &r->uppers[i],
		       &why);
	if (e == -EACCES && !r->is_privileged) {
		e = assume(r, i, c->settings.mutable);
		return e < 0 ? refuse(name, e, NULL) : EXIT_DONE;
	}
	if (e < 0)
		return refuse(name, e, why);
	forget_made(&r->uppers[i], base, name);
	if (r->lock >= 0 && r->uppers[i].is_writable && mutable_keeps(r->uppers[i].mode))
		e = upper_close_store(r->base);
	if (e < 0)
		return refuse(name, e, "its directory cannot be closed to others");
	/* At once, as it is an input of the merge; not for a hierarchy that may stay absent. */
	if (r->lock >= 0 && own_base(base) >= 0 && r->uppers[i].is_writable &&
	    mutable_keeps(r->uppers[i].mode) && r->uppers[i].directory < 0)
		e = upper_make(&r->uppers[i], r->base, name, base);
	if (e < 0)
		return refuse(name, e, NULL);
	r->uppers[i].size = c->settings.ephemeral_size;
	if (r->renews[i])
		return renew(r, i);
	if (r->uppers[i].note && !mutable_forgets(c->settings.mutable))
		log_detail("/%s is not writable: %s", name, r->uppers[i].note);
	return EXIT_DONE;
}

enum exit_code uppers_find(struct route *r) {
	enum exit_code code = EXIT_DONE;

	/* What one command sees is read-only. */
	for (size_t i = 0; code == EXIT_DONE && !r->is_on_top && i < r->state.n; i++)
		code = find_one(r, i);
	return code;
}

/* All that is a layer; which of them lie in each other is another matter (layer.6). */
static int collect_layers(const struct route *r, struct nesting *g, const char **names) {
	enum nesting_relation relation;
	unsigned other, n = 0;
	int e = 0;

	for (size_t i = 0; e == 0 && i < r->n_hierarchies; i++) {
		const struct hierarchy *h = &r->hierarchies[i];

		names[n] = h->name;
		if (h->base >= 0)
			e = nesting_add(g, h->base, n, &relation, &other);
		n++;
		for (size_t l = 0; e == 0 && l < h->n_layers; l++) {
			names[n] = h->layers[l].extension->name.name;
			if (h->layers[l].extension->access == EXTENSION_ACCESS_DIRECTORY)
				e = nesting_add(g, h->layers[l].fd, n, &relation, &other);
			n++;
		}
	}
	return e;
}

static enum exit_code check_one(const struct route *r, size_t i, struct nesting *g,
				const char **names) {
	static const char *const words[] = { [NESTING_SAME] = "is",
					     [NESTING_INSIDE] = "lies inside of",
					     [NESTING_AROUND] = "has inside of it" };
	const struct upper *u = &r->uppers[i];
	enum nesting_relation relation = NESTING_APART;
	_cleanup_free_ char *why = NULL;
	unsigned other = 0;
	int e;

	if (u->directory < 0 || u->is_host)
		return EXIT_DONE;
	e = nesting_add(g, u->directory, UINT_MAX, &relation, &other);
	if (e == 0 && relation == NESTING_APART)
		return EXIT_DONE;
	if (e == 0)
		why = text_format("%s %s a layer: %s", u->path, words[relation],
				  other == UINT_MAX ? "what another hierarchy writes to"
						    : names[other]);
	return refuse(r->hierarchies[i].name, e, why);
}

enum exit_code uppers_check(const struct route *r) {
	size_t n = 0;
	_cleanup_free_ const char **names = NULL;
	_cleanup_(nesting_done) struct nesting g = { NULL };
	enum exit_code code = EXIT_DONE;
	bool any = false;
	int e;

	for (size_t i = 0; i < r->n_hierarchies; i++) {
		n += r->hierarchies[i].n_layers + 1;
		any |= r->uppers[i].directory >= 0;
	}
	if (!any)
		return EXIT_DONE;
	names = calloc(n, sizeof(*names));
	e = names ? collect_layers(r, &g, names) : -ENOMEM;
	if (e < 0)
		return route_fail(e, "compare what is written with the layers");
	for (size_t i = 0; code == EXIT_DONE && i < r->n_hierarchies; i++)
		code = check_one(r, i, &g, names);
	return code;
}

/* The path below the root of a directory beside that of the layer. */
static char *path_beside(const char *path, const char *name) {
	const char *slash = strrchr(path, '/');

	return slash ? text_format("%.*s/%s", (int)(slash - path), path, name) : NULL;
}

/* Copies a directory of the merged tree to its upper layer: no change of its mode is one for overlayfs as well. */
static int copy_up(int tree, const char *path) {
	_cleanup_close_ int fd = file_open_exact(tree, path, O_RDONLY | O_DIRECTORY);
	struct stat st;

	if (fd < 0)
		return fd;
	return fstat(fd, &st) < 0 || fchmod(fd, st.st_mode & 07777) < 0 ? -errno : 0;
}

/*
 * mutable.14: the new tree looks its submounts' places up before it is shown. It must not remember a directory as one
 * that is not in the upper layer, if somebody could still copy it there through the old tree.
 */
static int copy_up_parents(const struct route *r, size_t i) {
	const struct state_hierarchy *h = &r->state.hierarchies[i];
	int e = 0;

	for (size_t n = 0; n < r->submounts[i].n; n++) {
		_cleanup_free_ char *path = strdup(r->submounts[i].items[n].path);

		if (!path)
			return -ENOMEM;
		for (char *slash = strchr(path, '/'); e == 0 && slash;
		     slash = strchr(slash + 1, '/')) {
			*slash = '\0';
			e = copy_up(h->fd, path);
			*slash = '/';
		}
	}
	return e;
}

static enum exit_code prepare_one(struct route *r, size_t i) {
	const struct hierarchy *h = &r->hierarchies[i];
	const struct record *old = r->state.hierarchies[i].record;
	struct upper *u = &r->uppers[i];
	char name[WORKSHOP_NAME_MAX];
	_cleanup_free_ char *why = NULL;
	int e = 0;

	if (mutable_forgets(u->mode) && !u->fresh)
		u->memory = TAKE_FD(r->memories[i]);
	if (old && old->is_writable)
		e = copy_up_parents(r, i);
	if (e == 0)
		e = upper_prepare(u, r->base, h->name, own_base(h->base), &why);
	if (e == 0 && u->memory >= 0) {
		r->wanted[i]->memory_id = renewal_id(u->upper);
		e = r->wanted[i]->memory_id
			    ? workshop_attach(&r->workshop, u->memory, name)
			    : -ENOMEM;
	}
	if (e == 0 && u->memory < 0) {
		r->wanted[i]->work = path_beside(u->path, u->work_name);
		e = r->wanted[i]->work ? 0 : -ENOMEM;
	}
	return e < 0 ? refuse(h->name, e, why) : EXIT_DONE;
}

/* A directory that was made just now, as the hierarchy did not exist before, is in the records as if it had been there. */
static int note_made(struct route *r, size_t i) {
	const struct class *class = r->hierarchies[i].class;
	int e = draft_note_upper(r, i, r->wanted[i]);

	if (e == 0)
		e = inputs_digest(r, class);
	for (size_t n = 0; e == 0 && n < r->n_hierarchies; n++)
		if (r->wanted[n] && r->wanted[n]->class == class) {
			free(r->wanted[n]->inputs);
			r->wanted[n]->inputs = strdup(r->inputs[class->id]);
			e = r->wanted[n]->inputs ? 0 : -ENOMEM;
		}
	return e;
}

enum exit_code uppers_prepare(struct route *r) {
	enum exit_code code = EXIT_DONE;
	int e = 0;

	for (size_t i = 0; code == EXIT_DONE && i < r->plan.n_steps; i++) {
		bool is_new = mutable_keeps(r->uppers[i].mode) &&
			      r->uppers[i].directory < 0;

		if (!r->wanted[i] || !r->uppers[i].is_writable ||
		    (r->plan.steps[i].action != PLAN_MERGE &&
		     r->plan.steps[i].action != PLAN_REPLACE))
			continue;
		code = prepare_one(r, i);
		if (code == EXIT_DONE && is_new)
			e = note_made(r, i);
		if (e < 0)
			return route_fail(e, "note what is written to");
	}
	return code;
}

/* Whether the directory is the one of the record. */
static bool has_id(int fd, const char *id) {
	_cleanup_free_ char *own = renewal_id(fd);

	return own && id && strcmp(own, id) == 0;
}

/* Whether it is the directory that the hierarchy is without us. */
static bool is_host(const struct route *r, size_t i, int fd) {
	_cleanup_close_ int base = file_open_in(r->base, r->state.hierarchies[i].name,
						O_PATH | O_DIRECTORY);
	struct stat own, st;

	return base >= 0 && fstat(base, &own) == 0 && fstat(fd, &st) == 0 &&
	       own.st_dev == st.st_dev && own.st_ino == st.st_ino;
}

int uppers_open_merged(const struct route *r, size_t i) {
	const struct record *record = r->state.hierarchies[i].record;
	_cleanup_close_ int fd = -EBADF;

	if (!record || !record->is_writable)
		return -ENODATA;
	if (r->memories[i] >= 0)
		return memory_open_layer(r->memories[i]);
	fd = record->upper ? file_open_in(r->base, record->upper, O_PATH | O_DIRECTORY)
			   : -ENOENT;
	if (fd < 0)
		return fd == -ENOENT ? -ESTALE : fd;
	if (is_host(r, i, fd))
		return -EXDEV;
	return has_id(fd, record->upper_id) ? TAKE_FD(fd) : -ESTALE;
}

void uppers_sweep(const struct route *r) {
	for (size_t c = 0; c < CLASS_COUNT; c++)
		carry_sweep(r->base, class_lasting(&classes[c]));
	for (size_t i = 0; i < r->state.n; i++) {
		const struct state_hierarchy *h = &r->state.hierarchies[i];
		const char *work = h->record ? h->record->work : NULL;
		int n;

		if (h->record && r->memories[i] >= 0)
			(void)memory_heal(r->memories[i], h->record->memory_id);

		if (h->kind != STATE_PLAIN && h->kind != STATE_MERGED)
			continue;
		n = upper_sweep(r->base, h->name, work ? strrchr(work, '/') + 1 : NULL,
				h->record ? h->record->upper_id : NULL);
		if (n < 0)
			log_warning("Cannot remove what an interrupted run has left beside "
				    "the upper layer of /%s: %s",
				    h->name, strerror(-n));
	}
}

static void remove_at(const struct route *r, const char *path) {
	const char *slash = path ? strrchr(path, '/') : NULL;
	_cleanup_free_ char *directory = slash ? strndup(path, (size_t)(slash - path))
					       : NULL;
	_cleanup_close_ int parent = -EBADF;
	int e;

	if (!directory)
		return;
	parent = file_open_in(r->root, *directory ? directory : ".", O_PATH | O_DIRECTORY);
	e = parent < 0 ? parent : workdir_remove(parent, slash + 1);
	if (e < 0 && e != -ENOENT)
		log_warning("Cannot remove '%s': %s", path, strerror(-e));
}

void uppers_clean(struct route *r, bool success) {
	for (size_t i = 0; i < r->plan.n_steps; i++) {
		struct upper *u = &r->uppers[i];
		const struct plan_step *s = &r->plan.steps[i];

		if (s->action == PLAN_NOTHING || s->action == PLAN_KEEP)
			continue;
		if (u->fresh)
			renewal_end(u, success);
		if (!success && u->work_name && !r->is_left[i])
			(void)workdir_remove(u->parent, u->work_name);
		if (!success)
			continue;
		if (s->old)
			remove_at(r, s->old->work);
		if (u->memory >= 0)
			(void)workdir_sweep(u->parent, u->name, u->work_name);
	}
}

void uppers_done(struct route *r) {
	for (size_t i = 0; i < STATE_HIERARCHIES_MAX; i++) {
		if (r->uppers[i].fresh) /* nothing has come of it */
			renewal_end(&r->uppers[i], false);
		upper_done(&r->uppers[i]);
		close_fdp(&r->memories[i]);
	}
}

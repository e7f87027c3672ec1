/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One extension's share of one hierarchy, and the hierarchy that the layers make. */
#include "layer.h"

#include <string.h>

#include "file.h"
#include "kernel.h"
#include "strv.h"
#include "survey.h"
#include "tree.h"

int hierarchy_open(struct hierarchy *h, const struct class *class, const char *name,
		   int root) {
	int fd = root < 0 ? -ENOENT : file_open_in(root, name, O_PATH | O_DIRECTORY);

	if (fd < 0 && fd != -ENOENT)
		return fd;
	*h = (struct hierarchy){ .class = class, .name = name, .root = root, .base = fd };
	return overlap_new(&h->index);
}

static void layer_done(struct layer *l) {
	close_fdp(&l->fd);
	free(l->covered);
	free(l->hides);
	for (size_t i = 0; i < l->n_witnesses; i++)
		free(l->witnesses[i]);
}

void hierarchy_done(struct hierarchy *h) {
	for (size_t i = 0; i < h->n_layers; i++)
		layer_done(&h->layers[i]);
	free(h->layers);
	overlap_free(h->index);
	nesting_done(&h->nesting);
	strv_free(h->mounts);
	free(h->contested);
	free(h->witness);
	close_fdp(&h->base);
}

int layer_open(const struct extension *e, const char *hierarchy) {
	if (strcmp(hierarchy, "usr") == 0 && e->usr_tree >= 0)
		return file_open_exact(e->usr_tree, ".", O_PATH | O_DIRECTORY);
	if (e->root_tree < 0)
		return -ENOENT;
	return file_open_exact(e->root_tree, hierarchy, O_PATH | O_DIRECTORY);
}

/* The host's own directory is the first; where no directory is merged over it nobody asks where it lies. */
static int place_base(struct hierarchy *h) {
	enum nesting_relation relation;
	unsigned other;
	int r = 0;

	if (h->base >= 0 && h->nesting.n == 0)
		r = nesting_add(&h->nesting, h->base, 0, &relation, &other);
	if (h->nesting_kept == 0)
		h->nesting_kept = h->nesting.n;
	return r;
}

/* layer.6: overlayfs refuses layers that are one directory or lie in each other (ELOOP). */
static int check_nesting(struct hierarchy *h, const struct layer *l) {
	static const char *const words[] = { [NESTING_SAME] = "is",
					     [NESTING_INSIDE] = "lies inside of",
					     [NESTING_AROUND] = "has inside of it" };
	enum nesting_relation relation;
	unsigned other;
	int r = place_base(h);

	if (r == 0)
		r = nesting_add(&h->nesting, l->fd, (unsigned)h->n_layers, &relation,
				&other);
	if (r < 0 || relation == NESTING_APART)
		return r;
	return verdict_set(&l->extension->verdict,
			   relation == NESTING_SAME ? VERDICT_DUPLICATE : VERDICT_NESTED,
			   "its /%s %s the /%s of %s", h->name, words[relation], h->name,
			   other ? h->layers[other - 1].extension->name.name : "the host");
}

static int add_layer(struct hierarchy *h, struct extension *e, int fd) {
	struct layer *l = reallocarray(h->layers, h->n_layers + 1, sizeof(*l));

	if (!l)
		return -ENOMEM;
	h->layers = l;
	l += h->n_layers;
	*l = (struct layer){ .extension = e, .fd = fd };
	l->hides = calloc(h->n_layers + 1, sizeof(*l->hides));
	if (!l->hides)
		return -ENOMEM;
	h->n_layers++;
	return 0;
}

/* layer.2: the hierarchy itself must be a directory of the extension, not a way out of it. */
static int refuse_hierarchy(const struct hierarchy *h, struct extension *e, int error) {
	if (error == -ENOENT)
		return 0;
	if (file_is_shortage(error))
		return error;
	return verdict_set(&e->verdict, VERDICT_BAD_HIERARCHY,
			   "its /%s is not a plain directory: %s", h->name,
			   strerror(-error));
}

int hierarchy_add(struct hierarchy *h, struct extension *e) {
	_cleanup_close_ int fd = layer_open(e, h->name);
	int r;

	if (e->digest)
		digest_add_text(e->digest, fd < 0 ? NULL : h->name);
	if (fd < 0)
		return refuse_hierarchy(h, e, fd);
	r = add_layer(h, e, fd);
	if (r < 0)
		return r;
	fd = -EBADF; /* the layer's now */
	if (e->access == EXTENSION_ACCESS_DIRECTORY)
		r = check_nesting(h, &h->layers[h->n_layers - 1]);
	if (r == 0 && extension_fits(e))
		r = survey_layer(h, &h->layers[h->n_layers - 1]);
	if (r == 0 && extension_fits(e) && h->layers[h->n_layers - 1].entries == 0)
		hierarchy_revert(h, e); /* nothing in it: the hierarchy stays as it is */
	return r;
}

void hierarchy_commit(struct hierarchy *h) {
	overlap_commit(h->index);
	h->nesting_kept = h->nesting.n;
}

void hierarchy_revert(struct hierarchy *h, const struct extension *e) {
	overlap_revert(h->index);
	nesting_revert(&h->nesting, h->nesting_kept);
	if (h->n_layers > 0 && h->layers[h->n_layers - 1].extension == e)
		layer_done(&h->layers[--h->n_layers]);
}

bool hierarchy_is_writable(const struct hierarchy *h) {
	return h->upper && h->upper->is_writable;
}

bool hierarchy_is_wanted(const struct hierarchy *h) {
	bool is_more = hierarchy_is_writable(h) || (h->upper && h->upper->is_imported);

	return h->n_layers > 0 || (is_more && h->base >= 0 && !h->is_made);
}

bool hierarchy_base_is_top(const struct hierarchy *h) {
	return h->base >= 0 && (h->place == BASE_TOP || (h->upper && h->upper->is_host));
}

bool hierarchy_base_is_layer(const struct hierarchy *h) {
	bool is_written = h->upper && h->upper->is_host && !h->upper->is_imported;

	return h->base >= 0 && !is_written;
}

bool hierarchy_has_mount(const struct hierarchy *h, const char *path) {
	return strv_contains(h->mounts, path);
}

bool hierarchy_supplies(const struct hierarchy *h, const char *path, unsigned layer) {
	_cleanup_free_ char *copy = strdup(path);
	struct overlap_node found = { .layer = 0 };
	char *rest = copy, *part;
	int64_t node = OVERLAP_ROOT;

	while (node >= 0 && (part = strsep(&rest, "/")))
		node = overlap_find(h->index, (uint32_t)node, part, &found);
	return copy && (node < 0 ? layer == 0 : found.layer == layer);
}

/* The host's witness is the first thing in its directory that no layer has. */
static int look_for_witness(const struct tree_entry *e, void *data) {
	struct hierarchy *h = data;

	if (hierarchy_has_mount(h, e->path))
		return TREE_SKIP;
	if (e->depth == 0 || !hierarchy_supplies(h, e->path, 0))
		return 0;
	h->witness = strdup(e->path);
	return h->witness ? -ECANCELED : -ENOMEM;
}

int hierarchy_choose_witness(struct hierarchy *h) {
	const struct tree_visitor visitor = { .enter = look_for_witness, .data = h };
	int r;

	/* Where the host lies above, this file shows it best. */
	if (h->contested)
		h->witness = TAKE_PTR(h->contested);
	r = h->base < 0 || h->witness
		    ? 0
		    : tree_walk(h->base, &tree_limits_default, &visitor);

	/* A host with nothing of its own to show, or too much of it to search, has no witness. */
	return file_is_shortage(r) ? r : 0;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One extension's share of one hierarchy, and the hierarchy that the layers make: walked and judged
 * before anything is switched (specs: layer.*).
 */
#pragma once

#include <sys/stat.h>

#include "extension.h"
#include "nesting.h"
#include "overlap.h"

#define LAYER_WITNESSES 4

struct layer {
	struct extension *extension; /* borrowed */
	int fd;			     /* O_PATH */
	uint32_t entries, hides_host;
	char *covered; /* the first directory of it that a mount of the host covers, or NULL */
	uint32_t *hides; /* files of each lower layer, by its number */
	/* Files that must be seen in the merged tree, to prove that the layer is in it (switch.5). */
	char *witnesses[LAYER_WITNESSES];
	size_t n_witnesses;
};

struct hierarchy {
	const struct class *class;
	const char *name; /* "usr" */
	int root;	  /* of the host's own tree, O_PATH; borrowed */
	int base; /* the host's own directory, O_PATH, or -EBADF where it has none */
	struct layer *
		layers; /* lowest first: layer number i + 1 in the index, 0 is the host */
	size_t n_layers;
	struct overlap *index;
	struct nesting nesting;
	size_t nesting_kept; /* places of the layers that are committed */
	char **mounts; /* where the host has mounts below it (strv); they stay on top of all layers */
	char *witness; /* of the host; NULL where it has nothing to show */
};

/*
 * Opens the host's own directory. 0 or a negative errno; a missing directory is no error. With a negative `root`
 * there is no host, and layers are judged for what they are themselves.
 */
int hierarchy_open(struct hierarchy *h, const struct class *class, const char *name,
		   int root);
void hierarchy_done(struct hierarchy *h);

/*
 * Adds the extension's share of the hierarchy on top of the layers, if it has one that is not empty,
 * after walking it and comparing it with the host and the layers below. What is wrong becomes
 * the extension's verdict. Entries are provisional until hierarchy_commit() or _revert().
 * 0, or a negative errno that is no fault of the extension.
 */
int hierarchy_add(struct hierarchy *h, struct extension *e);
void hierarchy_commit(struct hierarchy *h);

/* Takes the extension's layer away again. */
void hierarchy_revert(struct hierarchy *h, const struct extension *e);

/* Chooses the host's witness, once all layers are there. 0 or a negative errno. */
int hierarchy_choose_witness(struct hierarchy *h);

/* Whether something of the host is mounted at exactly this path below the hierarchy (layer.7). */
bool hierarchy_has_mount(const struct hierarchy *h, const char *path);

/* Whether the uppermost layer that has the file `path` is layer number `layer` (0: the host). */
bool hierarchy_supplies(const struct hierarchy *h, const char *path, unsigned layer);

/* Opens what the extension brings for the hierarchy. -ENOENT where it brings nothing. */
int layer_open(const struct extension *e, const char *hierarchy);

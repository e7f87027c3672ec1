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
#include "upper.h"

#define LAYER_WITNESSES 4

struct layer {
	struct extension *extension; /* borrowed */
	int fd;			     /* O_PATH */
	uint32_t entries, hides_host;
	uint32_t hidden_by_host; /* files of it that are not seen, as the host lies above */
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
	bool is_made; /* the host's own was made for the merge: it counts as none (switch.9) */
	enum base_place place; /* where the host's own directory lies among the layers */
	bool is_noexec; /* nothing in the merged tree may be executed (switch.16) */
	const struct upper *upper; /* borrowed; NULL where nothing is written or imported */
	char *contested; /* the first file that both the host, above, and a layer have */
	char *witness;	 /* of the host; NULL where it has nothing to show */
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

/* Whether there is anything to merge: a layer, or something that can be written or is imported. */
bool hierarchy_is_wanted(const struct hierarchy *h);

/* Whether the tree can be written. */
bool hierarchy_is_writable(const struct hierarchy *h);

/*
 * Where the host's own directory lies: above all extensions if that is asked for, or if it is itself what is written to
 * or imported. It is a layer of its own if it is there, and is not written to.
 */
bool hierarchy_base_is_top(const struct hierarchy *h);
bool hierarchy_base_is_layer(const struct hierarchy *h);

/* Opens what the extension brings for the hierarchy. -ENOENT where it brings nothing. */
int layer_open(const struct extension *e, const char *hierarchy);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What one tree is made of, whichever back end makes it. */
#pragma once

#include "layer.h"
#include "workshop.h"

/* Layers that one tree takes at most, the host's own and the one with the record included. */
#define STACKING_LAYERS_MAX 500

/* Borrowed, all of it. */
struct stacking {
	const struct hierarchy *h;
	const int *layers; /* O_PATH, top first */
	size_t n;
	const char *source;	   /* as the mount table shows it */
	const struct upper *upper; /* NULL for a tree that nobody writes */
	uint64_t attributes;	   /* MOUNT_ATTR_* */
	struct workshop *workshop;
};

/* How it was made. Texts are owned. */
struct stacking_info {
	const char *by; /* how the layers were named: a word of the record; static */
	const char *io; /* how a server gives out data: a word of union.17; static; NULL: there is none, or it does not say */
	char *server;	/* by process_describe(), or NULL */
	char *why;	/* of a failure, a sentence, or NULL */
};

static inline void stacking_info_done(struct stacking_info *i) {
	free(i->server);
	free(i->why);
	*i = (struct stacking_info){ .by = NULL };
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What was written in merged trees, made into the tree of an extension (specs: written.8 to written.10). */
#pragma once

#include "written.h"

struct carry {
	int tree;     /* O_PATH: what will be the extension; borrowed */
	char **paths; /* of what is in it and is no directory: "usr/bin/tool" (strv) */
	size_t n;     /* all that is in it */
};

/*
 * Copies what an extension can carry of the upper layer of `h` into the tree, and lists the rest in `left`. What is written
 * there meanwhile may be missing. 0 or as written_walk().
 */
int carry_layer(struct carry *c, const struct hierarchy *h, int upper,
		struct written_left *left);

/* Writes its release file, which fits any host of the class's scope. 0 or a negative errno. */
int carry_release(struct carry *c, const struct class *class, const char *name);

/* The name of the tree while it is made, beside where the extension will be; the caller owns it. NULL: no memory. */
char *carry_stage_name(const char *name);

/* Removes such trees that killed runs have left in `directory` below `root`. */
void carry_sweep(int root, const char *directory);

void carry_done(struct carry *c);

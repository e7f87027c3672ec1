/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The files of a union that are open, where the kernel reads them from the layers by itself (specs: union.17). */
#pragma once

#include "union.h"

struct openings;

/* 0 with *ret, which the caller owns, or -ENOMEM. `u` must outlive it. For any number of threads. */
int openings_new(int fuse_fd, struct union_tree *u, struct openings **ret);
void openings_free(struct openings *o);
DEFINE_CLEANUP(struct openings, openings_free)

struct opening {
	uint64_t handle;
	int32_t backing; /* the kernel's number of the layer's file; 0: the server is asked for the data */
};

/*
 * A file has the same backing each time as long as it is open somewhere, as the kernel asks for. 0, to be followed by
 * one openings_release(); or a negative errno as union_open().
 */
int openings_open(struct openings *o, uint64_t node, struct opening *ret);
void openings_release(struct openings *o, uint64_t handle);

/* union_forget(), and the kernel lets go of the file as well. */
void openings_forget(struct openings *o, uint64_t node, uint64_t times);

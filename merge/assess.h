/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whether an extension may be used at all, before anything is mounted: policy and signatures (specs: trust.*). */
#pragma once

#include "host.h"
#include "trust.h"

/* Borrowed. For a directory that is for no host in particular all may be zero: then nothing is asked of it. */
struct assess_options {
	const struct host *host;
	int root; /* the host's own tree */
	struct trust *trust;
	bool (*asks_kernel)(void *userdata); /* as in struct verity_rules, or NULL */
	void *userdata;
};

/* An image that may be used. */
struct assessment {
	struct policy policy;
	struct dissection dissection;
	struct verity_parts parts; /* borrows from the dissection */
};

#define ASSESSMENT_NONE                         \
	{                                       \
		.dissection = {.tree = -EBADF } \
	}

/*
 * Takes the image apart and judges it; needs no privilege. What is wrong with it becomes e->verdict, what is
 * tolerated its note, and e->trust is what it has to offer. 0 with *ret, to be ended by assessment_done() (empty
 * where there is a verdict); or a negative errno that is no fault of the image.
 */
int assess_image(struct extension *e, const struct assess_options *o,
		 struct assessment *ret);
void assessment_done(struct assessment *a);

/* The same for a directory or a subvolume. */
int assess_directory(struct extension *e, const struct assess_options *o);

/* Gives `e` the verdict that a fault stands for. 0 or -ENOMEM. */
int assess_fault(struct extension *e, const struct fault *f);

/* Errors while bytes are read: the machine's fault is returned, the image's becomes a verdict. */
int assess_read_error(struct extension *e, int error);

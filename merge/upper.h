/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where what is written in a merged hierarchy goes, or what is imported: the directory of the hierarchy in
 * /var/lib/extensions.mutable, or memory (specs: mutable.*). First found, which changes nothing, then prepared.
 */
#pragma once

#include "mutable.h"

/* Below the root, with the hierarchy's name behind it. */
#define UPPER_STORE "var/lib/extensions.mutable"

struct upper {
	enum mutable_mode mode;

	/* upper_find() */
	int directory; /* O_PATH: what is written to, or imported; -EBADF where it is absent */
	bool is_host; /* it is the host's own hierarchy */
	bool is_writable; /* the tree can be written: the directory is there, or will be made */
	bool is_imported; /* the directory is a layer */
	const char *size; /* of memory; borrowed */
	char *path;	  /* of the directory below the root, with all links resolved */
	char *known_id; /* what the record says of one that cannot be looked at without privilege, or NULL */
	char *note; /* why there is none although the mode asks for one, or NULL */

	/* upper_prepare(): all that overlayfs and extmerge-fuse need */
	int memory; /* a detached tmpfs of ours, or -EBADF */
	int parent; /* O_PATH: the two are in it, and on the same mount */
	char *name; /* of the upper layer in `parent` */
	char *fresh; /* renewal.h: the name that a new one has until it takes that one's place, or NULL */
	int old; /* the one whose place it takes, or -EBADF */
	char *work_name;
	int upper, work; /* O_PATH: the two, open */
};

#define UPPER_NONE                                                       \
	{                                                                \
		.directory = -EBADF, .memory = -EBADF, .parent = -EBADF, \
		.upper = -EBADF, .work = -EBADF, .old = -EBADF           \
	}

/*
 * Looks for the directory of the hierarchy `name`, whose own directory of the host is `base` (or -EBADF), below `root`.
 * 0 with *ret, which upper_done() ends; or a negative errno and perhaps *ret_why, an owned sentence: it must be a
 * directory that nobody but root can write or exchange, and look like the hierarchy.
 */
int upper_find(int root, const char *name, int base, enum mutable_mode mode,
	       struct upper *ret, char **ret_why);

/* Makes the directory, which then looks like `base` if there is one. 0 or a negative errno. */
int upper_make(struct upper *u, int root, const char *name, int base);

/*
 * Lets nobody but root into the directory of them all (mutable.6): who owns a directory in one would come to it from
 * behind, and exchange files under the names by which a server of ours changes them. 0 or a negative errno.
 */
int upper_close_store(int root);

/*
 * Makes what is missing: the directory, which looks like `base`; memory of u->size, if there is none in u->memory;
 * and a new work directory. 0 or a negative errno and perhaps *ret_why.
 */
int upper_prepare(struct upper *u, int root, const char *name, int base, char **ret_why);

/* Whether what is written or imported has something of its own at `path` or above it, so that no layer shows there. */
bool upper_hides(const struct upper *u, const char *path);

/* Opens what its layer is in, and finds its name: u->parent and u->name. 0 or a negative errno and perhaps *ret_why. */
int upper_open_place(struct upper *u, int root, char **ret_why);

/*
 * Removes work directories that a killed run has left; `keep` is the one in use, or NULL. Ends a renewal, where `id` is
 * what is merged (renewal.h). As workdir_sweep().
 */
int upper_sweep(int root, const char *name, const char *keep, const char *id);

void upper_done(struct upper *u);

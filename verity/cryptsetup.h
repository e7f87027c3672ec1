/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Makes dm-verity devices by libcryptsetup, which is loaded when it is first needed. */
#pragma once

#include "superblock.h"

enum cryptsetup_corruption {
	CRYPTSETUP_EIO,	    /* reading a wrong block fails */
	CRYPTSETUP_RESTART, /* ... restarts the machine */
	CRYPTSETUP_PANIC,   /* ... stops it */
};

struct cryptsetup;

/* Whether extmerge was built with it; says nothing about whether it is installed. */
bool cryptsetup_is_built(void);

/*
 * Makes ready for a device over the data and hash areas that are the block devices `data` and `hash`, and
 * compares what libcryptsetup reads there with `superblock`. `nodes` is a directory of the caller's for what libdevmapper
 * would put into /dev. One thread at a time.
 *
 * 0 with *ret, to be freed by cryptsetup_free(); -ENOSYS and *ret_why where extmerge was built without libcryptsetup or it
 * is not installed; -EBADMSG and *ret_why where it reads another superblock; otherwise a negative errno. All
 * descriptors stay the caller's and must outlive *ret.
 */
int cryptsetup_new(int data, int hash, const struct superblock *superblock, int nodes,
		   struct cryptsetup **ret, const char **ret_why);

void cryptsetup_free(struct cryptsetup *c);
DEFINE_CLEANUP(struct cryptsetup, cryptsetup_free)

struct cryptsetup_key {
	const uint8_t *root; /* the root hash, as long as the superblock's digests */
	size_t root_size;
	const uint8_t *signature; /* DER, for the kernel to verify; NULL: not asked to */
	size_t signature_size;
};

/*
 * Makes the read-only device `name`. Returns 0, or a negative errno: the kernel's own, where it refused;
 * -EEXIST where there is a device of that name.
 */
int cryptsetup_activate(struct cryptsetup *c, const char *name,
			const struct cryptsetup_key *key,
			enum cryptsetup_corruption on_corruption);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* dm-verity devices, where extmerge is built without libcryptsetup: none. */
#include "cryptsetup.h"

bool cryptsetup_is_built(void) {
	return false;
}

int cryptsetup_new(int data, int hash, const struct superblock *superblock, int nodes,
		   struct cryptsetup **ret, const char **ret_why) {
	*ret_why = "extmerge was built without libcryptsetup";
	return -ENOSYS;
}

void cryptsetup_free(struct cryptsetup *c) {
}

int cryptsetup_activate(struct cryptsetup *c, const char *name,
			const struct cryptsetup_key *key,
			enum cryptsetup_corruption on_corruption) {
	return -ENOSYS;
}

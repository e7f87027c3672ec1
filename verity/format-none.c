/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Built without libcryptsetup: no hash trees are made. */
#include "format.h"

int format_tree(const struct format_request *f, uint8_t ret_root[static 32],
		const char **ret_why) {
	*ret_why = "extmerge was built without libcryptsetup";
	return -EOPNOTSUPP;
}

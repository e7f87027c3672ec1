/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Verity in force by device-mapper: a block device, every block of which the kernel checks when it is read.
 *
 *	struct activate_options o = { .nodes = workshop.scratch };
 *	struct activate_info info;
 *	const char *why = NULL;
 *	int device, r;
 *
 *	r = activate_probe(workshop.scratch);
 *	if (r == -ENODEV && module_load("dm_mod") == 0 && module_load("dm_verity") == 0)
 *		r = activate_probe(workshop.scratch);
 *	if (r < 0)
 *		...the next way of putting it in force...
 *	r = activate_verity(&target, &o, &device, &info, &why);
 *	...mount the file system from /proc/self/fd/DEVICE, close(device)...
 *
 * and once in every run that changes something, under its lock, activate_heal().
 */
#pragma once

#include "cryptsetup.h"
#include "devmapper.h"
#include "target.h"

struct activate_options {
	int nodes; /* a directory that only this process sees, on a file system with devices */
	enum cryptsetup_corruption on_corruption;
};

struct activate_info {
	dev_t device; /* its number, as the kernel has it */
	char name[DEVMAPPER_NAME_MAX];
	bool is_kernel_checked; /* the kernel has verified the signature as well */
	int kernel_answer; /* why not, where it had one to verify: a negative errno, mostly -ENOKEY */
};

/*
 * Whether device-mapper can be used, without loading a library: 0; -ENODEV where the kernel has no dm-verity, for
 * which the modules dm_mod and dm_verity may help; -ENOSYS where extmerge was built without libcryptsetup;
 * otherwise a negative errno: -EPERM or -EACCES without privilege.
 */
int activate_probe(int nodes);

/*
 * Puts the target in force as a read-only device of its own (specs: activate.*). The caller has verified the
 * signature, or needs none: what is checked here is blocks against the root hash, and the signature
 * only by a kernel that can.
 *
 * 0 with *ret_device, an fd that the caller owns, and *ret. The device and the loop devices below it end
 * with their last user. Otherwise a negative errno, mostly with *ret_why, a static sentence:
 *  -ENODEV, -ENOSYS, -EPERM, -EACCES: as activate_probe(), or no loop devices (module loop) or no libcryptsetup: another way must
 *    be taken;
 *  -EMEDIUMTYPE: the kernel does not take this hash tree, which says nothing of others (activate.12);
 *  -EBADMSG: the superblock is refused (specs: verity.1 to verity.5), or the root hash has another length;
 *  -ENOKEY: the kernel takes only what it has verified itself, and cannot verify this;
 *  -EKEYREJECTED, -EKEYREVOKED, -EKEYEXPIRED: the kernel refuses the signature.
 * One thread at a time.
 */
int activate_verity(const struct verity_target *t, const struct activate_options *o,
		    int *ret_device, struct activate_info *ret, const char **ret_why);

/*
 * Removes what a run that was killed may have left: see devmapper_heal(). Cheap where device-mapper is absent.
 */
int activate_heal(int nodes);

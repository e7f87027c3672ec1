/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Verity in force by device-mapper. */
#include "activate.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "../merge/file.h"
#include "hex.h"
#include "loop.h"
#include "node.h"

/* A device can be taken away between two steps, or its name be taken: this often that is no error. */
#define TRIES 4
#define NAME_HASH 8 /* bytes of the root hash in a device's name */

int activate_probe(int nodes) {
	_cleanup_close_ int control = -EBADF;

	if (!cryptsetup_is_built())
		return -ENOSYS;
	control = devmapper_open(nodes);
	return control < 0 ? control : devmapper_has_target(control, "verity");
}

int activate_heal(int nodes) {
	return devmapper_heal(nodes);
}

/*
 * Whether the kernel, by its answer, could not judge the signature, rather than refuse it: it has no such key, takes no
 * signatures at all (EINVAL, EOPNOTSUPP), not this algorithm (ENOPKG) or form (EBADMSG), or the library kept its
 * answer to itself (ENODEV, and EBUSY since libcryptsetup 2.7). What userspace has verified then counts (specs: activate.8).
 */
static bool could_not_judge(int error) {
	static const int errors[] = { -ENOKEY,	-EINVAL, -EOPNOTSUPP, -ENOPKG,
				      -EBADMSG, -ENODEV, -EBUSY };

	for (size_t i = 0; i < ARRAY_SIZE(errors); i++)
		if (error == errors[i])
			return true;
	return false;
}

static const char *why_not(int error) {
	switch (error) {
	case -ENOKEY:
		return "the kernel takes only images whose signature it has verified itself "
		       "(dm_verity.require_signatures), and this one has none that it can verify";
	case -EKEYREJECTED:
	case -EKEYREVOKED:
	case -EKEYEXPIRED:
		return "the kernel refuses the signature";
	case -EMEDIUMTYPE:
		return "the kernel's dm-verity does not take its hash tree";
	default:
		return NULL;
	}
}

/*
 * dm-verity is there, and so are loop devices, but not for this tree: mostly as the kernel has not its hash algorithm
 * (activate.12). libcryptsetup has -ENODEV or -EINVAL for that.
 */
static bool is_tree_refused(int error) {
	return error == -ENODEV || error == -ENOENT || error == -EINVAL;
}

/* Makes the device info->name. */
static int make(struct cryptsetup *c, const struct verity_target *t,
		const struct activate_options *o, struct activate_info *info,
		const char **ret_why) {
	struct cryptsetup_key key = { .root = t->root,
				      .root_size = t->root_size,
				      .signature = t->signature,
				      .signature_size = t->signature_size };
	int r = cryptsetup_activate(c, info->name, &key, o->on_corruption);

	info->is_kernel_checked = r == 0 && t->signature;
	if (t->signature && could_not_judge(r)) {
		info->kernel_answer = r;
		key.signature = NULL;
		r = cryptsetup_activate(c, info->name, &key, o->on_corruption);
	}
	if (is_tree_refused(r))
		r = -EMEDIUMTYPE;
	if (r < 0)
		*ret_why = why_not(r);
	return r;
}

/*
 * Opens the device by the number that the kernel has for its name. While it is open its number is not given to
 * another: only if it is the same afterwards was it the one that was opened.
 */
static int open_device(int control, int nodes, struct activate_info *info) {
	_cleanup_close_ int device = -EBADF;
	dev_t again;
	int r = devmapper_number(control, info->name, &info->device);

	if (r < 0)
		return r;
	device = node_open_own(S_IFBLK, info->device, O_RDONLY, nodes);
	if (device < 0)
		return device;
	r = devmapper_number(control, info->name, &again);
	if (r < 0)
		return r;
	return again == info->device ? TAKE_FD(device) : -ENXIO;
}

/* An fd of a new device that ends with its last user, or a negative errno: -ENXIO if it was taken away. */
static int make_and_open(int control, struct cryptsetup *c, const struct verity_target *t,
			 const struct activate_options *o, struct activate_info *info,
			 const char **ret_why) {
	_cleanup_close_ int device = -EBADF;
	char node[sizeof("mapper/") + DEVMAPPER_NAME_MAX];
	int r;

	r = make(c, t, o, info, ret_why);
	if (r < 0)
		return r;
	device = open_device(control, o->nodes, info);
	r = devmapper_remove(control, info->name); /* once it is closed */
	snprintf(node, sizeof(node), "mapper/%s", info->name);
	unlinkat(o->nodes, node, 0);
	if (device >= 0 && r < 0)
		return r;
	return TAKE_FD(device);
}

/* A name that no other process has, nor this one a second time. */
static void choose_name(const struct verity_target *t,
			char ret[static DEVMAPPER_NAME_MAX]) {
	char root[2 * NAME_HASH + 1];
	struct timespec now;

	hex_encode(t->root, NAME_HASH, root);
	clock_gettime(CLOCK_MONOTONIC, &now);
	snprintf(ret, DEVMAPPER_NAME_MAX, DEVMAPPER_PREFIX "%s-%d-%llx", root, getpid(),
		 (unsigned long long)now.tv_sec * 1000000000 +
			 (unsigned long long)now.tv_nsec);
}

static int read_superblock(const struct verity_target *t, struct superblock *ret,
			   const char **ret_why) {
	uint8_t bytes[SUPERBLOCK_SIZE];
	ssize_t n = file_read_at(t->hash_fd, bytes, sizeof(bytes), t->hash_offset);
	int r;

	if (n < 0)
		return (int)n;
	if (n < (ssize_t)sizeof(bytes) || t->hash_size < sizeof(bytes)) {
		*ret_why = "the hash area is too small for a superblock";
		return -EBADMSG;
	}
	r = superblock_parse(bytes, t->data_size, t->hash_size, ret, ret_why);
	if (r == 0 && t->root_size != ret->digest_size) {
		*ret_why = "the root hash is not as long as the digests of the hash tree";
		r = -EBADMSG;
	}
	return r;
}

/* Everything but the device-mapper device: the two loop devices, and the library. */
static int prepare(const struct verity_target *t, int nodes, int *ret_data, int *ret_hash,
		   struct cryptsetup **ret, const char **ret_why) {
	_cleanup_close_ int data = -EBADF, hash = -EBADF;
	struct superblock superblock;
	int r = read_superblock(t, &superblock, ret_why);

	if (r < 0)
		return r;
	data = loop_attach(t->data_fd, t->data_offset, t->data_size, false, nodes);
	if (data >= 0)
		hash = loop_attach(t->hash_fd, t->hash_offset, t->hash_size, false, nodes);
	if (hash < 0) {
		*ret_why = "there is no loop device for it";
		return data < 0 ? data : hash;
	}
	r = cryptsetup_new(data, hash, &superblock, nodes, ret, ret_why);
	if (r < 0)
		return r;
	*ret_data = TAKE_FD(data);
	*ret_hash = TAKE_FD(hash);
	return 0;
}

int activate_verity(const struct verity_target *t, const struct activate_options *o,
		    int *ret_device, struct activate_info *ret, const char **ret_why) {
	_cleanup_close_ int control = devmapper_open(o->nodes), data = -EBADF,
			    hash = -EBADF;
	_cleanup_(cryptsetup_freep) struct cryptsetup *c = NULL;
	struct activate_info info;
	int r;

	if (control < 0) {
		*ret_why = "device-mapper cannot be used";
		return control;
	}
	r = devmapper_has_target(control, "verity");
	if (r < 0) {
		*ret_why = "the kernel has no dm-verity";
		return r;
	}
	r = prepare(t, o->nodes, &data, &hash, &c, ret_why);
	if (r < 0)
		return r;
	devmapper_lock(control);
	for (int i = 0, again = 1; again && i < TRIES; i++) {
		info = (struct activate_info){ 0 };
		choose_name(t, info.name);
		r = make_and_open(control, c, t, o, &info, ret_why);
		again = r == -EEXIST || r == -ENXIO;
	}
	devmapper_unlock(control);
	if (r < 0)
		return r;
	*ret_device = r;
	*ret = info;
	return 0;
}

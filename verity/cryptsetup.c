/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Makes dm-verity devices with libcryptsetup. */
#include "cryptsetup.h"

#include <string.h>

#include "../merge/file.h"
#include "libcryptsetup.h"

struct cryptsetup {
	struct crypt_device *device;
	int answer; /* the kernel's, as far as it was heard in what the library says */
};

/*
 * Nobody waits for udev: with /run/udev/control but no udevd that would be for ever (specs: activate.6). The nodes
 * that libdevmapper then makes itself go where nobody else finds them: in /dev/mapper they would outlive a
 * device that is removed later, and open another's one.
 */
static int keep_out_of_dev(int nodes) {
	char path[FILE_FD_PATH_MAX];

	dm_udev_set_sync_support(0);
	file_fd_path(nodes, path);
	return dm_set_dev_dir(path) ? 0 : -EIO;
}

/* libcryptsetup 2.6 turns what the kernel says into -ENODEV, but libdevmapper names it, last in its message. */
static void listen(int level, const char *message, void *data) {
	static const int answers[] = { EKEYREJECTED, EKEYREVOKED, EKEYEXPIRED,
				       ENOKEY,	     ENOPKG,	  EBADMSG };
	struct cryptsetup *c = data;

	for (size_t i = 0; i < ARRAY_SIZE(answers); i++)
		if (strstr(message, strerror(answers[i])))
			c->answer = -answers[i];
}

/* Whether the library has read the superblock that we have. */
static bool is_same(const struct superblock *s, const struct crypt_params_verity *p) {
	return p->hash_type == 1 && p->hash_area_offset == 0 &&
	       strcmp(p->hash_name, s->algorithm) == 0 &&
	       p->data_block_size == s->data_block_size &&
	       p->hash_block_size == s->hash_block_size &&
	       p->data_size == s->data_blocks && p->salt_size == s->salt_size &&
	       (s->salt_size == 0 || memcmp(p->salt, s->salt, s->salt_size) == 0) &&
	       !p->fec_device;
}

static int read_superblock(struct cryptsetup *c, const struct superblock *superblock,
			   const char **ret_why) {
	struct crypt_params_verity params = { 0 };
	int r = crypt_load(c->device, CRYPT_VERITY, &params);

	if (r == 0)
		r = crypt_get_verity_info(c->device, &params);
	if (r == 0 && !is_same(superblock, &params)) {
		*ret_why = "the superblock of the hash tree has changed while it was read";
		r = -EBADMSG;
	}
	return r;
}

bool cryptsetup_is_built(void) {
	return true;
}

int cryptsetup_new(int data, int hash, const struct superblock *superblock, int nodes,
		   struct cryptsetup **ret, const char **ret_why) {
	_cleanup_(cryptsetup_freep) struct cryptsetup *c = calloc(1, sizeof(*c));
	char data_path[FILE_FD_PATH_MAX], hash_path[FILE_FD_PATH_MAX];
	int r;

	if (!c)
		return -ENOMEM;
	if (!library_load(&cryptsetup)) {
		*ret_why = "libcryptsetup is not installed";
		return -ENOSYS;
	}
	crypt_set_log_callback(NULL, listen, c);
	r = keep_out_of_dev(nodes);
	file_fd_path(data, data_path);
	file_fd_path(hash, hash_path);
	if (r == 0)
		r = crypt_init_data_device(&c->device, hash_path, data_path);
	if (r == 0)
		r = read_superblock(c, superblock, ret_why);
	if (r == 0)
		*ret = TAKE_PTR(c);
	return r;
}

void cryptsetup_free(struct cryptsetup *c) {
	if (!c)
		return;
	if (c->device)
		crypt_free(c->device);
	crypt_set_log_callback(NULL, NULL, NULL);
	free(c);
}

int cryptsetup_activate(struct cryptsetup *c, const char *name,
			const struct cryptsetup_key *key,
			enum cryptsetup_corruption on_corruption) {
	static const uint32_t flags[] = {
		[CRYPTSETUP_EIO] = CRYPT_ACTIVATE_READONLY,
		[CRYPTSETUP_RESTART] = CRYPT_ACTIVATE_READONLY |
				       CRYPT_ACTIVATE_RESTART_ON_CORRUPTION,
		[CRYPTSETUP_PANIC] = CRYPT_ACTIVATE_READONLY |
				     CRYPT_ACTIVATE_PANIC_ON_CORRUPTION,
	};
	const char *root = (const char *)key->root;
	int r;

	c->answer = 0;
	if (key->signature)
		r = crypt_activate_by_signed_key(c->device, name, root, key->root_size,
						 (const char *)key->signature,
						 key->signature_size,
						 flags[on_corruption]);
	else
		r = crypt_activate_by_volume_key(c->device, name, root, key->root_size,
						 flags[on_corruption]);
	return r < 0 && c->answer < 0 ? c->answer : r;
}

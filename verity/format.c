/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The hash tree by libcryptsetup. */
#include "format.h"

#include "../merge/file.h"
#include "gpt.h"
#include "libcryptsetup.h"

static void say_nothing(int level, const char *text, void *userdata) {
}

static int write_tree(struct crypt_device *device, const struct format_request *f,
		      const char *data, uint8_t ret_root[static 32]) {
	struct crypt_params_verity parameters = {
		.hash_name = "sha256",
		.data_device = data,
		.salt = (const char *)f->salt,
		.salt_size = sizeof(f->salt),
		.hash_type = 1,
		.data_block_size = FORMAT_BLOCK,
		.hash_block_size = FORMAT_BLOCK,
		.data_size = f->data_size / FORMAT_BLOCK,
		.hash_area_offset = f->hash_offset,
		.flags = CRYPT_VERITY_CREATE_HASH,
	};
	size_t root_size = 32;
	char uuid[37];
	int r;

	gpt_format_guid(f->uuid, uuid);
	r = crypt_format(device, CRYPT_VERITY, NULL, NULL, uuid, NULL, 0, &parameters);
	if (r < 0)
		return r;
	return crypt_volume_key_get(device, CRYPT_ANY_SLOT, (char *)ret_root, &root_size,
				    NULL, 0);
}

int format_tree(const struct format_request *f, uint8_t ret_root[static 32],
		const char **ret_why) {
	char data[FILE_FD_PATH_MAX], hash[FILE_FD_PATH_MAX];
	struct crypt_device *device = NULL;
	int r;

	if (!library_load(&cryptsetup)) {
		*ret_why = "libcryptsetup is not installed";
		return -EOPNOTSUPP;
	}
	*ret_why = NULL;
	crypt_set_log_callback(NULL, say_nothing, NULL);
	file_fd_path(f->data_fd, data);
	file_fd_path(f->hash_fd, hash);
	r = crypt_init(&device, hash);
	if (r < 0)
		return r;
	r = write_tree(device, f, data, ret_root);
	crypt_free(device);
	return r < 0 ? r : 0;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The hash tree by libcryptsetup, which is loaded when it is needed: every other run does without its start-up. */
#include "format.h"

#include <dlfcn.h>
#include <libcryptsetup.h>

#include "../merge/file.h"
#include "gpt.h"

#define LIBRARY "libcryptsetup.so.12"

static struct {
	typeof(crypt_init) *init;
	typeof(crypt_format) *format;
	typeof(crypt_volume_key_get) *volume_key_get;
	typeof(crypt_free) *free;
	typeof(crypt_set_log_callback) *set_log_callback;
} library;

static const struct {
	const char *name;
	void *symbol;
} symbols[] = {
	{ "crypt_init", &library.init },
	{ "crypt_format", &library.format },
	{ "crypt_volume_key_get", &library.volume_key_get },
	{ "crypt_free", &library.free },
	{ "crypt_set_log_callback", &library.set_log_callback },
};

static void say_nothing(int level, const char *text, void *userdata) {
}

static int load(const char **ret_why) {
	void *handle = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);

	*ret_why = "there is no " LIBRARY;
	if (!handle)
		return -EOPNOTSUPP;
	for (size_t i = 0; i < ARRAY_SIZE(symbols); i++) {
		*(void **)symbols[i].symbol = dlsym(handle, symbols[i].name);
		if (!*(void **)symbols[i].symbol)
			return -EOPNOTSUPP;
	}
	library.set_log_callback(NULL, say_nothing, NULL);
	return 0;
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
	r = library.format(device, CRYPT_VERITY, NULL, NULL, uuid, NULL, 0, &parameters);
	if (r < 0)
		return r;
	return library.volume_key_get(device, CRYPT_ANY_SLOT, (char *)ret_root,
				      &root_size, NULL, 0);
}

int format_tree(const struct format_request *f, uint8_t ret_root[static 32],
		const char **ret_why) {
	char data[FILE_FD_PATH_MAX], hash[FILE_FD_PATH_MAX];
	struct crypt_device *device = NULL;
	int r = load(ret_why);

	if (r < 0)
		return r;
	*ret_why = NULL;
	file_fd_path(f->data_fd, data);
	file_fd_path(f->hash_fd, hash);
	r = library.init(&device, hash);
	if (r < 0)
		return r;
	r = write_tree(device, f, data, ret_root);
	library.free(device);
	return r < 0 ? r : 0;
}

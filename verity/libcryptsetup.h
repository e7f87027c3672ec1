/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libcryptsetup, loaded when its first function is called (library.h): with what it depends on it would more than
 * double the time that the program takes to start, and few runs make a device or a hash tree.
 */
#pragma once

#include <libcryptsetup.h>

#include "../merge/library.h"

extern struct library cryptsetup;

#define crypt_activate_by_signed_key \
	LIBRARY_CALL(cryptsetup, crypt_activate_by_signed_key)
#define crypt_activate_by_volume_key \
	LIBRARY_CALL(cryptsetup, crypt_activate_by_volume_key)
#define crypt_format LIBRARY_CALL(cryptsetup, crypt_format)
#define crypt_free LIBRARY_CALL(cryptsetup, crypt_free)
#define crypt_get_verity_info LIBRARY_CALL(cryptsetup, crypt_get_verity_info)
#define crypt_init LIBRARY_CALL(cryptsetup, crypt_init)
#define crypt_init_data_device LIBRARY_CALL(cryptsetup, crypt_init_data_device)
#define crypt_load LIBRARY_CALL(cryptsetup, crypt_load)
#define crypt_set_log_callback LIBRARY_CALL(cryptsetup, crypt_set_log_callback)
#define crypt_volume_key_get LIBRARY_CALL(cryptsetup, crypt_volume_key_get)

/* Of libdevmapper, which it brings along; its header would be one more thing to install for two lines. */
int dm_set_dev_dir(const char *directory);
void dm_udev_set_sync_support(int is_wanted);
#define dm_set_dev_dir LIBRARY_CALL(cryptsetup, dm_set_dev_dir)
#define dm_udev_set_sync_support LIBRARY_CALL(cryptsetup, dm_udev_set_sync_support)

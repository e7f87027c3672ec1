/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* No servers and no drivers: built --without-fuse. */
#include "attach-union.h"
#include "driver.h"
#include "fusermount.h"
#include "grafts.h"

struct attach_server *attach_server_new(void) {
	return NULL;
}

void attach_server_free(struct attach_server *s) {
}

int attach_image(const struct verity_target *t, const struct attach_options *o,
		 char ret_why[static ATTACH_WHY_MAX]) {
	snprintf(ret_why, ATTACH_WHY_MAX, "this extmerge was built without FUSE");
	return -EOPNOTSUPP;
}

int driver_mount(const struct driver_volume *v, uint64_t attributes,
		 const struct driver_place *p, char ret_why[static DRIVER_WHY_MAX]) {
	snprintf(ret_why, DRIVER_WHY_MAX, "this extmerge was built without FUSE");
	return -EOPNOTSUPP;
}

int attach_union(const int *layers, unsigned n, const struct attach_union_options *o,
		 char ret_why[static ATTACH_WHY_MAX]) {
	snprintf(ret_why, ATTACH_WHY_MAX, "this extmerge was built without FUSE");
	return -EOPNOTSUPP;
}

bool fusermount_is_needed(void) {
	return false;
}

const char *fusermount_find(void) {
	return NULL;
}

const char *fusermount_obstacle(const char *program) {
	return NULL;
}

int fusermount_mount(const char *program, int directory,
		     const struct fusermount_options *o,
		     char ret_why[static FUSERMOUNT_WHY_MAX]) {
	snprintf(ret_why, FUSERMOUNT_WHY_MAX, "this extmerge was built without FUSE");
	return -EOPNOTSUPP;
}

int fusermount_unmount(const char *program, int directory,
		       char ret_why[static FUSERMOUNT_WHY_MAX]) {
	return -EOPNOTSUPP;
}

int attach_union_io(int mount, enum union_io *ret) {
	return -ENODATA;
}

int grafts_attach(int mount, const int *layers, unsigned n,
		  const struct attach_union_options *o, unsigned max, char ***ret,
		  char ***ret_failed) {
	return 0;
}

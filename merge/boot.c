/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A run at boot. */
#include "boot.h"

#include <fcntl.h>
#include <string.h>

#include "bootswitch.h"
#include "file.h"
#include "log.h"
#include "text.h"

int boot_stage_from(const char *word, enum boot_stage *ret) {
	const bool is_early = strcmp(word, "early") == 0;

	if (!is_early && strcmp(word, "late") != 0)
		return -EINVAL;
	*ret = is_early ? BOOT_EARLY : BOOT_LATE;
	return 0;
}

/* The initrd has switches of its own, for itself; the root that it is about to enter has the system's. */
static bool is_initrd(const char *root) {
	_cleanup_close_ int fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	_cleanup_close_ int file =
		fd < 0 ? -EBADF : file_open_in(fd, "etc/initrd-release", O_PATH);

	return file >= 0;
}

enum exit_code boot_prepare(struct options *o, bool *ret_done) {
	_cleanup_free_ char *line = NULL;
	bool is_rd, is_any = false;

	if (o->boot == BOOT_NO)
		return EXIT_DONE;
	line = bootswitch_read();
	if (!line)
		return EXIT_FAILED;
	is_rd = is_initrd(o->root);
	for (size_t c = 0; c < CLASS_COUNT; c++) {
		_cleanup_free_ char *peer = text_format("systemd.%s", classes[c].name);

		if (!peer)
			return EXIT_FAILED;
		if (bootswitch_is_off(line, "extmerge", is_rd) ||
		    bootswitch_is_off(line, peer, is_rd))
			o->classes[c] = false;
		is_any = is_any || o->classes[c];
	}
	*ret_done = !is_any;
	if (!is_any)
		log_notice("Nothing is merged: the kernel's command line says so.");
	return EXIT_DONE;
}

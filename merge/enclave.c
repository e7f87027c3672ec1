/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A mount namespace for one command and its children. */
#include "enclave.h"

#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>

#include "text.h"

static int write_text(const char *path, const char *text) {
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CLOEXEC);
	size_t len = strlen(text);

	if (fd < 0 || write(fd, text, len) != (ssize_t)len)
		return -errno;
	return 0;
}

/* One line, the only one that needs no privilege: the id outside is the id inside. */
static int write_map(const char *path, unsigned id) {
	_cleanup_free_ char *line = text_format("%u %u 1\n", id, id);

	return line ? write_text(path, line) : -ENOMEM;
}

/* A group map may only be written by who can no longer leave his groups (Linux 3.19). */
static int enter_user_namespace(void) {
	const unsigned user = geteuid(), group = getegid();
	int r;

	if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0)
		return -errno;
	r = write_text("/proc/self/setgroups", "deny");
	if (r == 0 || r == -ENOENT)
		r = write_map("/proc/self/uid_map", user);
	return r < 0 ? r : write_map("/proc/self/gid_map", group);
}

int enclave_enter(bool is_fed) {
	int r = unshare(CLONE_NEWNS) < 0 ? -errno : 0;

	if (r == -EPERM)
		r = enter_user_namespace();
	if (r == 0 &&
	    mount(NULL, "/", NULL, MS_REC | (is_fed ? MS_SLAVE : MS_PRIVATE), NULL) < 0)
		r = -errno;
	return r;
}

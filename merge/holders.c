/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who keeps files of a mount open for writing. */
#include "holders.h"

#include <fcntl.h>
#include <string.h>

#include "file.h"
#include "kernel.h"
#include "mount.h"
#include "strv.h"
#include "text.h"

#define PROCESSES_MAX (4u * 1024 * 1024)
#define FILES_MAX (1024u * 1024)
#define TEXT_MAX 4096

/* The number behind the key of a line of fdinfo, or -1. */
static long find_number(const char *text, const char *key, int base) {
	const char *at = strstr(text, key);

	return at ? strtol(at + strlen(key), NULL, base) : -1;
}

static bool is_held(int directory, const char *name, int mount) {
	_cleanup_close_ int fd = openat(directory, name, O_RDONLY | O_CLOEXEC);
	char text[TEXT_MAX];
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	long flags;

	if (n <= 0)
		return false; /* it was closed meanwhile */
	text[n] = '\0';
	flags = find_number(text, "flags:\t", 8);
	return flags >= 0 && !(flags & O_PATH) && (flags & O_ACCMODE) != O_RDONLY &&
	       find_number(text, "mnt_id:\t", 10) == mount;
}

static int count_of(int proc, const char *pid, int mount) {
	_cleanup_free_ char *path = text_format("%s/fdinfo", pid);
	_cleanup_close_ int directory =
		path ? openat(proc, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	_cleanup_strv_ char **names = NULL;
	int n = 0;

	if (directory < 0 || file_list(directory, FILES_MAX, &names) < 0)
		return 0; /* it has ended */
	for (char **name = names; name && *name; name++)
		n += is_held(directory, *name, mount);
	return n;
}

static char *describe(int proc, const char *pid) {
	_cleanup_free_ char *path = text_format("%s/comm", pid);
	_cleanup_close_ int fd = path ? openat(proc, path, O_RDONLY | O_CLOEXEC) : -1;
	char name[64];
	ssize_t n = fd < 0 ? 0 : read(fd, name, sizeof(name) - 1);

	name[n > 0 ? n : 0] = '\0';
	name[strcspn(name, "\n")] = '\0';
	return text_format("%s (%s)", name, pid);
}

int holders_count(int fd, char **ret_first) {
	_cleanup_close_ int proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_strv_ char **pids = NULL;
	int mount = mount_id(fd), r, n = 0;

	*ret_first = NULL;
	if (proc < 0 || mount < 0)
		return proc < 0 ? -errno : mount;
	r = file_list(proc, PROCESSES_MAX, &pids);
	for (char **pid = pids; r == 0 && pid && *pid; pid++) {
		int more = **pid >= '1' && **pid <= '9' ? count_of(proc, *pid, mount) : 0;

		if (more > 0 && !*ret_first)
			*ret_first = describe(proc, *pid);
		n += more;
	}
	return r < 0 ? r : n;
}

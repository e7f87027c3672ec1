/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The host that extensions are merged into. */
#include "host.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/utsname.h>

#include "architecture.h"
#include "file.h"

static int open_os_release(int root) {
	int fd = file_open_in(root, "etc/os-release", O_RDONLY);

	return fd == -ENOENT ? file_open_in(root, "usr/lib/os-release", O_RDONLY) : fd;
}

static int read_release(int root, struct release **ret, const char **ret_why) {
	_cleanup_close_ int fd = open_os_release(root);
	_cleanup_free_ char *text = NULL;
	size_t len;
	int r = fd < 0 ? fd : file_read(fd, RELEASE_SIZE_MAX, &text, &len);

	if (r < 0) {
		*ret_why = "the host's os-release cannot be read";
		return r;
	}
	r = release_parse(text, len, ret, ret_why, NULL);
	return r == -EINVAL ? -EBADMSG : r;
}

/* sbin/init of another make: OpenRC, runit, s6 and sysvinit execute scripts in /etc. */
static bool has_other_init(int root) {
	_cleanup_close_ int init = file_open_in(root, "sbin/init", O_PATH);
	_cleanup_close_ int systemd = file_open_in(root, "usr/lib/systemd/systemd",
						   O_PATH);
	struct stat a, b;

	if (systemd == -ENOENT)
		systemd = file_open_in(root, "lib/systemd/systemd", O_PATH);
	if (init < 0 || fstat(init, &a) < 0)
		return false;
	return systemd < 0 || fstat(systemd, &b) < 0 || a.st_dev != b.st_dev ||
	       a.st_ino != b.st_ino;
}

int host_read(int root, struct host *ret, const char **ret_why) {
	_cleanup_close_ int initrd = file_open_in(root, "etc/initrd-release", O_PATH);
	struct host h = { .scope = initrd >= 0 ? "initrd" : "system",
			  .runs_scripts = has_other_init(root) };
	struct utsname name;
	int r;

	if (uname(&name) < 0)
		return -errno;
	h.architecture = architecture_from_machine(name.machine);
	if (!h.architecture) {
		*ret_why = "this machine's architecture has no name in the specification";
		return -EOPNOTSUPP;
	}
	h.secondary = architecture_secondary(h.architecture);
	r = read_release(root, &h.release, ret_why);
	if (r == 0)
		*ret = h;
	return r;
}

struct match_host host_match(const struct host *h) {
	return (struct match_host){ .release = h->release,
				    .architecture = h->architecture,
				    .scope = h->scope };
}

void host_done(struct host *h) {
	release_free(h->release);
	h->release = NULL;
}

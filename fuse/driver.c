/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* squashfuse and erofsfuse, on a connection that is mounted for them. */
#include "driver.h"

#include <linux/capability.h>
#include <sched.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "../merge/kernel.h"
#include "../merge/program.h"
#include "../merge/strv.h"
#include "../merge/text.h"
#include "connection.h"

/* The driver's fds; libfuse3 takes a mount point /dev/fd/N for a connection that is mounted already. */
#define FD_IMAGE 3
#define FD_FUSE 4
#define FD_END 5

/* Programs of one format follow each other, the better one first. */
static const struct driver {
	const char *format, *program, *package;
	const char *offset[2]; /* what says where the file system begins, before the number; the first may be NULL */
} drivers[] = {
	{ "squashfs", "squashfuse_ll", "squashfuse", { "-o", "offset=" } },
	{ "squashfs", "squashfuse", "squashfuse", { "-o", "offset=" } },
	{ "erofs", "erofsfuse", "erofsfuse", { NULL, "--offset=" } },
};

static const struct driver *find_driver(const char *format, char **ret_path,
					const char **ret_package) {
	for (size_t i = 0; i < ARRAY_SIZE(drivers); i++) {
		if (strcmp(drivers[i].format, format) != 0)
			continue;
		*ret_package = drivers[i].package;
		*ret_path = program_find(drivers[i].program);
		if (*ret_path)
			return &drivers[i];
	}
	return NULL;
}

static int make_arguments(const struct driver *d, uint64_t offset, char ***ret) {
	_cleanup_free_ char *number = text_format("%s%llu", d->offset[1],
						  (unsigned long long)offset);
	const char *const all[] = { d->program,	       "-f",	   d->offset[0], number,
				    "/proc/self/fd/3", "/dev/fd/4" };
	int r = number ? 0 : -ENOMEM;

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(all); i++)
		if (all[i])
			r = strv_append(ret, all[i]);
	return r;
}

/* --- the child: nothing but system calls from here to exec --- */

struct start {
	const char *path;
	char *const *argv;
	int image, fuse, scratch;
};

/* The working directory goes along into the copy, where an fd would still mean the original. */
static int leave_mounts(int scratch) {
	if (fchdir(scratch) < 0 || unshare(CLONE_NEWNS) < 0 ||
	    umount2(".", MNT_DETACH) < 0 || chdir("/") < 0)
		return -errno;
	return 0;
}

static int drop_privileges(void) {
	struct __user_cap_header_struct header = { .version =
							   _LINUX_CAPABILITY_VERSION_3 };
	const struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = { { 0 } };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	/* Who has all of root's would have them again after exec, but for the bounding set. */
	for (unsigned long c = 0; prctl(PR_CAPBSET_READ, c, 0, 0, 0) >= 0; c++)
		if (prctl(PR_CAPBSET_DROP, c, 0, 0, 0) < 0 && errno != EPERM)
			return -errno;
	return syscall(SYS_capset, &header, none) < 0 ? -errno : 0;
}

/* Out of each other's way first. */
static int arrange(const struct start *s) {
	int image = fcntl(s->image, F_DUPFD_CLOEXEC, FD_END);
	int fuse = fcntl(s->fuse, F_DUPFD_CLOEXEC, FD_END);
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (image < 0 || fuse < 0 || null < 0)
		return -errno;
	for (int fd = 0; fd < FD_IMAGE; fd++)
		if (fd != null && dup2(null, fd) < 0)
			return -errno;
	if (dup2(image, FD_IMAGE) < 0 || dup2(fuse, FD_FUSE) < 0)
		return -errno;
	return 0; /* all others are closed by exec */
}

static _Noreturn void become_driver(const struct start *s) {
	char language[] = "LC_ALL=C", *const environment[] = { language, NULL };

	if (leave_mounts(s->scratch) == 0 && drop_privileges() == 0 && arrange(s) == 0)
		execve(s->path, s->argv, environment);
	_exit(1);
}

/* The child in between ends at once, so that the driver is init's, and no zombie of the command to be. */
static int start(const struct start *s) {
	pid_t between = fork();

	if (between < 0)
		return -errno;
	if (between == 0) {
		pid_t child = setsid() < 0 ? -1 : fork();

		if (child == 0)
			become_driver(s);
		_exit(child < 0);
	}
	while (waitpid(between, NULL, 0) < 0)
		if (errno != EINTR)
			break;
	return 0;
}

/* --- and here --- */

/* Waits for the driver's first answer: without a driver the kernel gives an error at once. */
static int try_root(int mount) {
	struct stat st;

	return fstat(mount, &st) < 0 ? -EPROTO : 0;
}

static int serve(const struct start *s, int mount, char ret_why[static DRIVER_WHY_MAX]) {
	int r = start(s), fuse = s->fuse;

	/* From now on the driver's is the only one, so that the kernel sees when it ends. */
	close(fuse);
	if (r == 0)
		r = try_root(mount);
	if (r < 0)
		snprintf(ret_why, DRIVER_WHY_MAX, "%s ended without serving it",
			 s->argv[0]);
	return r;
}

static int mount_connection(const char *program, int fuse, uint64_t attributes) {
	_cleanup_free_ char *source = text_format("extmerge:%s", program);
	const struct connection_mount m = {
		.source = source,
		.rootmode = S_IFDIR,
		.attributes = attributes | MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID |
			      MOUNT_ATTR_NODEV,
		.for_all = true,
	};

	return source ? connection_mount(fuse, &m) : -ENOMEM;
}

int driver_mount(const struct driver_volume *v, uint64_t attributes, int scratch,
		 char ret_why[static DRIVER_WHY_MAX]) {
	_cleanup_free_ char *path = NULL;
	_cleanup_strv_ char **argv = NULL;
	_cleanup_close_ int mount = -EBADF;
	const char *package = NULL;
	const struct driver *d = find_driver(v->format, &path, &package);
	int fuse, r;

	if (!d && !package) {
		snprintf(ret_why, DRIVER_WHY_MAX, "there is no FUSE driver for %s",
			 v->format);
		return -EOPNOTSUPP;
	}
	if (!d) {
		snprintf(ret_why, DRIVER_WHY_MAX,
			 "a FUSE driver could read it, but the package %s is not installed",
			 package);
		return -ENOENT;
	}
	snprintf(ret_why, DRIVER_WHY_MAX, "/dev/fuse cannot be opened");
	fuse = connection_open();
	if (fuse < 0)
		return fuse;
	snprintf(ret_why, DRIVER_WHY_MAX, "a FUSE file system cannot be mounted");
	mount = r = mount_connection(d->program, fuse, attributes);
	if (r >= 0)
		r = make_arguments(d, v->offset, &argv);
	if (r < 0) {
		close(fuse);
		return r;
	}
	r = serve(&(struct start){ path, argv, v->fd, fuse, scratch }, mount, ret_why);
	return r < 0 ? r : TAKE_FD(mount);
}

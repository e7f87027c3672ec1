/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* squashfuse and erofsfuse, on a connection that is mounted for them. */
#include "driver.h"

#include <linux/capability.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "../merge/kernel.h"
#include "../merge/program.h"
#include "../merge/strv.h"
#include "../merge/text.h"
#include "connection.h"

/* The driver's fds; libfuse3 takes a mount point /dev/fd/N for a connection that is mounted already. */
#define FD_IMAGE 3
#define FD_FUSE 4
/* Those of its watcher. */
#define FD_ANSWERED 5
#define FD_VIGIL 6
#define FD_END 7

/* How long a driver may take for its first answer, and for all that a merge asks of it. */
#define ANSWER_MILLISECONDS (60 * 1000)
#define MERGE_MILLISECONDS (300 * 1000)

/* Programs of one format follow each other, the better one first. */
static const struct driver {
	const char *format, *program;
	const char *package; /* of Debian, and of others where they call it otherwise */
	const char *offset[2]; /* what says where the file system begins, before the number; the first may be NULL */
} drivers[] = {
	{ "squashfs", "squashfuse_ll", "squashfuse", { "-o", "offset=" } },
	{ "squashfs", "squashfuse", "squashfuse", { "-o", "offset=" } },
	{ "erofs",
	  "erofsfuse",
	  "erofsfuse (Fedora: erofs-fuse, Arch: erofs-utils)",
	  { NULL, "--offset=" } },
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
	int image, fuse;
	const struct driver_place *place;
	/* Two ends of a connection: the caller closes its end when the driver has answered, the watcher writes to its end if it has not. */
	int watcher, caller;
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
	int watcher = fcntl(s->watcher, F_DUPFD_CLOEXEC, FD_END);
	int vigil = fcntl(s->place->vigil, F_DUPFD_CLOEXEC, FD_END);
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (image < 0 || fuse < 0 || watcher < 0 || vigil < 0 || null < 0)
		return -errno;
	for (int fd = 0; fd < FD_IMAGE; fd++)
		if (fd != null && dup2(null, fd) < 0)
			return -errno;
	if (dup2(image, FD_IMAGE) < 0 || dup2(fuse, FD_FUSE) < 0 ||
	    dup3(watcher, FD_ANSWERED, O_CLOEXEC) < 0 ||
	    dup3(vigil, FD_VIGIL, O_CLOEXEC) < 0)
		return -errno;
	return 0; /* all others are closed by exec */
}

/* Keeps what the watcher needs: whoever waits for the end of anything else must not wait for it. */
static void let_go(void) {
	close(FD_IMAGE);
	close(FD_FUSE);
	if (syscall(SYS_close_range, FD_END, ~0U, 0) == 0)
		return;
	for (int fd = FD_END; fd < 4096; fd++) /* before Linux 5.9 */
		close(fd);
}

static bool ends_in_time(int fd, int milliseconds) {
	struct pollfd p = { .fd = fd, .events = POLLIN };
	int r;

	do
		r = poll(&p, 1, milliseconds);
	while (r < 0 && errno == EINTR);
	return r != 0;
}

/*
 * Who waits for an answer of a driver that hangs can be helped by nothing but its end, and may be past hearing signals. So
 * somebody else looks at the time: until the caller has ended, say, or become the command.
 */
static _Noreturn void watch(pid_t driver) {
	let_go();
	if (!ends_in_time(FD_ANSWERED, ANSWER_MILLISECONDS)) {
		(void)send(FD_ANSWERED, "", 1, MSG_NOSIGNAL | MSG_DONTWAIT);
		kill(driver, SIGKILL);
	} else if (!ends_in_time(FD_VIGIL, MERGE_MILLISECONDS)) {
		kill(driver, SIGKILL);
	}
	_exit(0);
}

static _Noreturn void become_driver(const struct start *s) {
	char language[] = "LC_ALL=C", *const environment[] = { language, NULL };
	pid_t driver = -1;

	if (leave_mounts(s->place->scratch) == 0 && drop_privileges() == 0 &&
	    arrange(s) == 0)
		driver = fork();
	if (driver == 0)
		execve(s->path, s->argv, environment);
	if (driver > 0)
		watch(driver);
	_exit(1);
}

/* The child in between ends at once, so that driver and watcher are init's, and no zombies of the command to be. */
static int start(const struct start *s) {
	pid_t between = fork();

	if (between < 0)
		return -errno;
	if (between == 0) {
		pid_t child = setsid() < 0 ? -1 : fork();

		close(s->caller);
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
static int try_root(int mount, int caller) {
	struct stat st;
	char byte;

	if (fstat(mount, &st) == 0)
		return 0;
	return recv(caller, &byte, 1, MSG_DONTWAIT) == 1 ? -ETIMEDOUT : -EPROTO;
}

static int serve(const struct start *s, int mount, char ret_why[static DRIVER_WHY_MAX]) {
	int r = start(s), fuse = s->fuse;

	/* From now on the driver's is the only one, so that the kernel sees when it ends. */
	close(fuse);
	if (r == 0)
		r = try_root(mount, s->caller);
	if (r < 0)
		snprintf(ret_why, DRIVER_WHY_MAX,
			 r == -ETIMEDOUT ? "%s does not answer"
					 : "%s ended without serving it",
			 s->argv[0]);
	return r;
}

static int serve_watched(struct start s, int mount, char ret_why[static DRIVER_WHY_MAX]) {
	_cleanup_close_ int watcher = -EBADF, caller = -EBADF;
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0) {
		int r = -errno;

		close(s.fuse);
		return r;
	}
	s.watcher = watcher = ends[0];
	s.caller = caller = ends[1];
	return serve(&s, mount, ret_why);
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

int driver_mount(const struct driver_volume *v, uint64_t attributes,
		 const struct driver_place *p, char ret_why[static DRIVER_WHY_MAX]) {
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
	r = serve_watched((struct start){ .path = path,
					  .argv = argv,
					  .image = v->fd,
					  .fuse = fuse,
					  .place = p },
			  mount, ret_why);
	return r < 0 ? r : TAKE_FD(mount);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The protocol of libfuse: a socket in _FUSE_COMMFD, through which the connection's fd comes. */
#include "fusermount.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "../merge/file.h"
#include "../merge/kernel.h"
#include "../merge/text.h"

#define ANSWER_MILLISECONDS (60 * 1000)
#define FD_SOCKET 3
#define PATH_SHOWN 4096

/* Debian's and nearly everybody's place first; then where it was installed by hand, and NixOS. */
static const char *const places[] = {
	"/usr/bin/fusermount3",
	"/bin/fusermount3",
	"/usr/local/bin/fusermount3",
	"/run/wrappers/bin/fusermount3",
};

bool fusermount_is_needed(void) {
	struct __user_cap_header_struct header = { .version =
							   _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct caps[_LINUX_CAPABILITY_U32S_3];

	return syscall(SYS_capget, &header, caps) == 0 &&
	       !(caps[CAP_TO_INDEX(CAP_SYS_ADMIN)].effective & CAP_TO_MASK(CAP_SYS_ADMIN));
}

const char *fusermount_find(void) {
	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		if (access(places[i], X_OK) == 0)
			return places[i];
	return NULL;
}

const char *fusermount_obstacle(const char *program) {
	struct stat st;

	if (prctl(PR_CAPBSET_READ, CAP_SYS_ADMIN, 0, 0, 0) == 0)
		return "no process in this container may have CAP_SYS_ADMIN, and fusermount3 needs it";
	if (geteuid() == 0)
		return "the rights of root are taken away from all that this process starts (securebits)";
	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1)
		return "no_new_privs keeps fusermount3 from its set-user-id right";
	if (stat(program, &st) == 0 && (st.st_uid != 0 || !(st.st_mode & S_ISUID)))
		return "fusermount3 is not set-user-id root";
	return NULL;
}

/* --- the child: nothing but system calls from here to exec --- */

struct start {
	const char *program;
	char *const *argv;
	int directory, socket, errors;
};

static _Noreturn void become_program(const struct start *s) {
	static char socket[] = "_FUSE_COMMFD=3", language[] = "LC_ALL=C";
	char *const environment[] = { socket, language, NULL };
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	int given = fcntl(s->socket, F_DUPFD_CLOEXEC, FD_SOCKET + 1);
	int errors = fcntl(s->errors, F_DUPFD_CLOEXEC, FD_SOCKET + 1);

	if (null >= 0 && given >= 0 && errors >= 0 && fchdir(s->directory) == 0 &&
	    dup2(null, 0) >= 0 && dup2(null, 1) >= 0 && dup2(errors, 2) >= 0 &&
	    dup2(given, FD_SOCKET) >= 0)
		execve(s->program, s->argv, environment);
	_exit(127);
}

/* --- and here --- */

/* The connection comes before the program ends; -EPROTO where it ends, or sends something else. */
static int receive(int socket) {
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control;
	char byte;
	struct iovec iov = { &byte, 1 };
	struct msghdr m = { .msg_iov = &iov,
			    .msg_iovlen = 1,
			    .msg_control = &control,
			    .msg_controllen = sizeof(control) };
	struct pollfd p = { .fd = socket, .events = POLLIN };
	const struct cmsghdr *c;
	int fd;

	if (poll(&p, 1, ANSWER_MILLISECONDS) <= 0)
		return -ETIMEDOUT;
	if (recvmsg(socket, &m, MSG_CMSG_CLOEXEC) <= 0)
		return -EPROTO;
	c = CMSG_FIRSTHDR(&m);
	if (!c || c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS ||
	    c->cmsg_len != CMSG_LEN(sizeof(int)))
		return -EPROTO;
	memcpy(&fd, CMSG_DATA(c), sizeof(fd));
	return fd;
}

/* The first line of what it has said, without its name, or nothing. */
static void read_complaint(int fd, char why[static FUSERMOUNT_WHY_MAX]) {
	char text[FUSERMOUNT_WHY_MAX];
	ssize_t n = read(fd, text, sizeof(text) - 1);
	const char *line = text;
	size_t i = 0;

	text[n > 0 ? n : 0] = '\0';
	if (strncmp(line, "fusermount3: ", 13) == 0)
		line += 13;
	for (; line[i] && line[i] != '\n'; i++)
		why[i] = line[i] >= ' ' && line[i] < 0x7f ? line[i] : '?';
	why[i] = '\0';
}

/* Runs it in the directory. With `ret_fd`, waits for the connection. 0, or -EPERM where it does not end well. */
static int run(const char *program, char *const *argv, int directory, int *ret_fd,
	       char ret_why[static FUSERMOUNT_WHY_MAX]) {
	_cleanup_close_ int ours = -EBADF, its = -EBADF, errors = -EBADF, said = -EBADF,
			    fd = -EBADF;
	int ends[2], status = -1;
	struct start s = { program, argv, directory, -EBADF, -EBADF };
	pid_t child;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
		return -errno;
	ours = ends[0];
	s.socket = its = ends[1];
	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
		return -errno;
	said = ends[0];
	s.errors = errors = ends[1];
	child = fork();
	if (child == 0)
		become_program(&s);
	if (child < 0)
		return -errno;
	close_fdp(&its);
	its = -EBADF;
	fd = receive(ours);
	if (fd == -ETIMEDOUT)
		kill(child, SIGKILL);
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	read_complaint(said, ret_why);
	if (fd == -ETIMEDOUT)
		return fd;
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0 || (ret_fd && fd < 0))
		return -EPERM;
	if (ret_fd)
		*ret_fd = TAKE_FD(fd);
	return 0;
}

/* As fusermount3 reads it: a comma ends an option, a backslash takes the next character for itself. */
static char *escape(const char *text) {
	char *to = malloc(2 * strlen(text) + 1), *at = to;

	for (; to && *text; text++) {
		if (*text == ',' || *text == '\\')
			*at++ = '\\';
		*at++ = *text;
	}
	if (to)
		*at = '\0';
	return to;
}

static char *make_options(const struct fusermount_options *o, bool for_all) {
	_cleanup_free_ char *source = escape(o->source);
	const uint64_t a = o->attributes;

	return source ? text_format(
				"fsname=%s,subtype=extmerge-fuse,default_permissions%s%s%s%s%s%s",
				source, for_all ? ",allow_other" : "",
				a & MOUNT_ATTR_RDONLY ? ",ro" : "",
				a & MOUNT_ATTR_NOSUID ? ",nosuid" : "",
				a & MOUNT_ATTR_NODEV ? ",nodev" : "",
				a & MOUNT_ATTR_NOEXEC ? ",noexec" : "",
				a & MOUNT_ATTR_NOATIME ? ",noatime" : "")
		      : NULL;
}

static int try_mount(const char *program, int directory,
		     const struct fusermount_options *o, bool for_all,
		     char ret_why[static FUSERMOUNT_WHY_MAX]) {
	char name[] = "fusermount3", dash_o[] = "-o", end[] = "--", here[] = ".";
	_cleanup_free_ char *options = make_options(o, for_all);
	char *const argv[] = { name, dash_o, options, end, here, NULL };
	int fd = -EBADF, r = options ? 0 : -ENOMEM;

	if (r == 0)
		r = run(program, argv, directory, &fd, ret_why);
	return r < 0 ? r : fd;
}

int fusermount_mount(const char *program, int directory,
		     const struct fusermount_options *o,
		     char ret_why[static FUSERMOUNT_WHY_MAX]) {
	int r = try_mount(program, directory, o, true, ret_why);

	/* user_allow_other in /etc/fuse.conf says whether ordinary users may let others in. */
	return r == -EPERM && geteuid() != 0
		       ? try_mount(program, directory, o, false, ret_why)
		       : r;
}

/* The mount that a name leads to, without asking a server. */
static int is_mount(int above, const char *name, int directory) {
	const int flags = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC;
	struct statx there, here;

	if (statx(above, name, flags, STATX_MNT_ID, &there) < 0 ||
	    statx(directory, "", flags | AT_EMPTY_PATH, STATX_MNT_ID, &here) < 0)
		return -errno;
	return there.stx_mnt_id == here.stx_mnt_id ? 0 : -EBUSY;
}

/*
 * By its name in the directory above, as a server that has ended answers to nobody who looks at the mount itself. Nor does
 * ".." lead out of a mount that nobody has looked at before its server ended.
 */
int fusermount_unmount(const char *program, int directory,
		       char ret_why[static FUSERMOUNT_WHY_MAX]) {
	char name[] = "fusermount3", take[] = "-u", lazily[] = "-z", end[] = "--";
	char link[FILE_FD_PATH_MAX], path[PATH_SHOWN], *base;
	_cleanup_close_ int above = -EBADF;
	ssize_t n;
	int r;

	*ret_why = '\0';
	file_fd_path(directory, link);
	n = readlink(link, path, sizeof(path));
	if (n < 0)
		return -errno;
	if (n == sizeof(path))
		return -ENAMETOOLONG;
	path[n] = '\0';
	base = strrchr(path, '/');
	if (!base || !base[1])
		return -EBUSY;
	*base++ = '\0';
	above = open(base - 1 == path ? "/" : path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	r = above < 0 ? -errno : is_mount(above, base, directory);
	return r < 0 ? r
		     : run(program, (char *const[]){ name, take, lazily, end, base, NULL },
			   above, NULL, ret_why);
}

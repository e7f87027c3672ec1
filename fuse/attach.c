/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Mounts a single file by FUSE, detached, starts its server, and opens it. */
#include "attach.h"

#include <string.h>
#include <sys/socket.h>

#include "../merge/file.h"
#include "../merge/kernel.h"
#include "../merge/strv.h"
#include "connection.h"
#include "parcel.h"
#include "server.h"
#include "verified.h"

struct attach_server {
	int socket; /* or -EBADF, before the first image */
	pid_t process;
};

struct attach_server *attach_server_new(void) {
	struct attach_server *s = calloc(1, sizeof(*s));

	if (s)
		s->socket = -EBADF;
	return s;
}

static void forget(struct attach_server *s) {
	close_fdp(&s->socket);
	s->socket = -EBADF;
}

void attach_server_free(struct attach_server *s) {
	if (!s)
		return;
	forget(s);
	free(s);
}

/* What is made on the way. */
struct attachment {
	int fuse, log, mount, program;
	uint64_t size;	  /* bytes */
	const char *what; /* is being done, for the error */
};

#define ATTACHMENT_NONE \
	{ .fuse = -EBADF, .log = -EBADF, .mount = -EBADF, .program = -EBADF }

static void attachment_done(struct attachment *a) {
	close_fdp(&a->fuse);
	close_fdp(&a->log);
	close_fdp(&a->mount);
	close_fdp(&a->program);
}

/* vfile.7: what is not a sound superblock is refused before anything is mounted or started. */
static int measure(const struct verity_target *t, struct attachment *a,
		   const char **ret_why) {
	_cleanup_(verified_freep) struct verified *file = NULL;
	int r = verified_new(t, 0, &file, ret_why);

	if (r == 0)
		a->size = verified_size(file);
	return r;
}

/* rootmode makes the root of the mount the file itself: there is no directory around it. */
static int mount_file(struct attachment *a) {
	const struct connection_mount m = {
		.source = "extmerge-fuse:image",
		.rootmode = S_IFREG,
		.attributes = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
			      MOUNT_ATTR_NOEXEC,
	};

	a->mount = connection_mount(a->fuse, &m);
	return a->mount < 0 ? a->mount : 0;
}

static int choose_log(struct attachment *a, const struct attach_options *o) {
	if (o->log_fd) {
		a->log = fcntl(*o->log_fd, F_DUPFD_CLOEXEC, 3);
		return a->log < 0 ? -errno : 0;
	}
	a->log = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);
	if (a->log < 0)
		a->log = open("/dev/null", O_WRONLY | O_CLOEXEC);
	return a->log < 0 ? -errno : 0;
}

/* vfile.12: systemd spares who is root and has an '@' here when it ends all processes. */
static int make_arguments(const struct verity_target *t, const struct attach_options *o,
			  char ***argv) {
	const struct request q = {
		.target = *t,
		.cache_bytes = o->cache_bytes ?: ATTACH_CACHE_BYTES,
		.threads = o->threads ?: ATTACH_THREADS,
		.takes_more = o->shared,
		.name = o->name ?: "",
	};
	int r = strv_append(argv, "@extmerge-fuse");

	if (r == 0)
		r = strv_append(argv, "image");
	return r < 0 ? r : request_format(&q, argv);
}

/* A new process; the other end of its socket stays here, if it is to be shared. */
static int start_server(struct attachment *a, const struct verity_target *t,
			const struct attach_options *o, char **argv,
			char ret_why[static SERVER_WHY_MAX]) {
	_cleanup_close_ int ours = -EBADF, its = -EBADF;
	int ends[2], r;
	pid_t process;

	if (o->shared) {
		if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
			return -errno;
		ours = ends[0];
		its = ends[1];
	}
	r = server_start(a->program, argv,
			 (const int[]){ a->fuse, t->data_fd, t->hash_fd, -EBADF, a->log,
					its },
			 o->shared ? 1 : 0, o->seconds ?: ATTACH_SECONDS, &process,
			 ret_why);
	if (o->ret_server)
		*o->ret_server = process;
	if (r == 0 && o->shared)
		*o->shared = (struct attach_server){ TAKE_FD(ours), process };
	return r;
}

/* vfile.17: the server that is there already takes it. */
static int ask_server(const struct attachment *a, const struct verity_target *t,
		      const struct attach_options *o, char **argv,
		      char ret_why[static SERVER_WHY_MAX]) {
	const int fds[REQUEST_MORE_FDS] = { a->fuse, t->data_fd, t->hash_fd, a->log };
	const struct attach_server *s = o->shared;
	int r = parcel_send(s->socket, argv + 2, fds, REQUEST_MORE_FDS);

	if (r == 0)
		r = server_wait(s->socket, o->seconds ?: ATTACH_SECONDS, ret_why);
	if (r == 0 && o->ret_server)
		*o->ret_server = s->process;
	return r;
}

/* A shared server that is in any trouble is left to those that it serves, and a new one takes its place. */
static int find_server(struct attachment *a, const struct verity_target *t,
		       const struct attach_options *o,
		       char ret_why[static SERVER_WHY_MAX]) {
	_cleanup_strv_ char **argv = NULL;
	int r = make_arguments(t, o, &argv);

	if (r < 0)
		return r;
	if (o->shared && o->shared->socket >= 0) {
		if (ask_server(a, t, o, argv, ret_why) == 0)
			return 0;
		forget(o->shared);
	}
	return start_server(a, t, o, argv, ret_why);
}

/* The server has answered the kernel's first request by now, so nothing here waits for long. */
static int open_file(const struct attachment *a) {
	_cleanup_close_ int fd = -EBADF;
	char path[FILE_FD_PATH_MAX];
	struct stat st;

	if (fstat(a->mount, &st) < 0)
		return -errno;
	connection_read_ahead(st.st_dev);
	file_fd_path(a->mount, path);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	/* A superblock that was rewritten between our look and the server's. */
	if (!S_ISREG(st.st_mode) || st.st_size < 0 || (uint64_t)st.st_size != a->size)
		return -ESTALE;
	return TAKE_FD(fd);
}

static int attach(struct attachment *a, const struct verity_target *t,
		  const struct attach_options *o, char ret_why[static SERVER_WHY_MAX]) {
	int r;

	a->what = "the program extmerge-fuse cannot be opened";
	a->program = server_open(o->server);
	if (a->program < 0)
		return a->program;
	a->what = "/dev/fuse cannot be opened";
	a->fuse = connection_open();
	if (a->fuse < 0)
		return a->fuse;
	a->what = "the verified file cannot be mounted";
	r = mount_file(a);
	if (r < 0)
		return r;
	a->what = "there is no log";
	r = choose_log(a, o);
	if (r < 0)
		return r;
	a->what = NULL;
	r = find_server(a, t, o, ret_why);
	/* From now on the server's is the only one, so that the kernel sees when it dies. */
	close_fdp(&a->fuse);
	a->fuse = -EBADF;
	if (r < 0)
		return r;
	a->what = "the verified file cannot be opened";
	return open_file(a);
}

int attach_image(const struct verity_target *t, const struct attach_options *o,
		 char ret_why[static ATTACH_WHY_MAX]) {
	_cleanup_(attachment_done) struct attachment a = ATTACHMENT_NONE;
	const char *why = NULL;
	int r = measure(t, &a, &why);

	if (r < 0) {
		snprintf(ret_why, ATTACH_WHY_MAX, "%s",
			 why ?: "its verity superblock cannot be read");
		return r;
	}
	ret_why[0] = '\0';
	r = attach(&a, t, o, ret_why);
	if (r < 0 && a.what)
		snprintf(ret_why, ATTACH_WHY_MAX, "%s: %s", a.what, strerror(-r));
	return r;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The low-level interface of libfuse3, in threads of our own. */
#define FUSE_USE_VERSION 35
#include "session.h"

#include <fuse_lowlevel.h>
#include <linux/fuse.h>
#include <pthread.h>
#include <semaphore.h>
#include <string.h>

#include "affinity.h"
#include "birth.h"
#include "outer.h"
#include "passthrough.h"

#define OPCODE_TMPFILE 51 /* FUSE_TMPFILE; Linux 6.1 */
#define READ_AHEAD 65536  /* bytes; who reads so much reads ahead, while we are at work */
#define STACK_SIZE ((size_t)256 * 1024)

struct session {
	struct fuse_session *fuse;
	int (*begin)(void *userdata, unsigned thread);
	void *userdata;
	sem_t begun, ended; /* count threads */
	int error; /* of the first that ended otherwise than by the last user's leaving */
	int proc;  /* of affinity_prepare() */
	bool is_enclosed;
	int (*look)(void *userdata, uint64_t node, struct stat *ret,
		    struct statx *ret_birth);
	void *look_data;
};

struct worker {
	struct session *session;
	unsigned number;
	pthread_t thread;
};

/* Of the request that a thread is answering, what libfuse does not tell. */
static _Thread_local bool kills_suid;

bool session_kills_suid(void) {
	return kills_suid;
}

/* Whether these bits are set at `offset` of a request's body. */
static bool has_bits(const char *body, size_t n, size_t offset, uint32_t bits) {
	uint32_t flags;

	if (n < offset + sizeof(flags))
		return false;
	memcpy(&flags, body + offset, sizeof(flags));
	return flags & bits;
}

static bool says_kill(uint32_t opcode, const char *body, size_t n) {
	if (opcode == FUSE_WRITE)
		return has_bits(body, n, offsetof(struct fuse_write_in, write_flags),
				FUSE_WRITE_KILL_SUIDGID);
	if (opcode == FUSE_SETATTR)
		return has_bits(body, n, offsetof(struct fuse_setattr_in, valid),
				FATTR_KILL_SUIDGID);
	return opcode == FUSE_OPEN &&
	       has_bits(body, n, offsetof(struct fuse_open_in, open_flags),
			FUSE_OPEN_KILL_SUIDGID);
}

/*
 * What libfuse does not know: flags; and what can be said in its words: a file without a name is made like one with a
 * name, by flags that have O_TMPFILE.
 */
static void translate(struct fuse_buf *buffer, size_t n) {
	struct fuse_in_header header;

	if (buffer->flags & FUSE_BUF_IS_FD || n < sizeof(header))
		return;
	memcpy(&header, buffer->mem, sizeof(header));
	kills_suid = says_kill(header.opcode, (char *)buffer->mem + sizeof(header),
			       n - sizeof(header));
	if (header.opcode != OPCODE_TMPFILE)
		return;
	header.opcode = FUSE_CREATE;
	memcpy(buffer->mem, &header, sizeof(header));
}

/* Which thread waits for the answer, as follow_request() has it. */
static uint32_t client_of(const struct fuse_buf *buffer, size_t n) {
	const char *body = (char *)buffer->mem + sizeof(struct fuse_in_header);
	struct fuse_in_header header;
	struct fuse_read_in read;

	if (buffer->flags & FUSE_BUF_IS_FD || n < sizeof(header))
		return 0;
	memcpy(&header, buffer->mem, sizeof(header));
	if (header.opcode != FUSE_READ || n < sizeof(header) + sizeof(read))
		return header.pid;
	memcpy(&read, body, sizeof(read));
	return read.size < READ_AHEAD ? header.pid : FOLLOW_APART;
}

/* Past libfuse. It fails where nobody waits for it any more. */
static void give(const struct session *s, const void *answer, size_t size) {
	if (write(fuse_session_fd(s->fuse), answer, size) < 0)
		return;
}

/* union.23: true for what was no request for the union, and has been answered. */
static bool is_for_outer(const struct session *s, const struct fuse_buf *buffer,
			 size_t n) {
	struct outer_answer answer;
	enum outer_step step;

	if (!s->is_enclosed || buffer->flags & FUSE_BUF_IS_FD)
		return false;
	step = outer_take(buffer->mem, n, &answer);
	if (step == OUTER_ANSWER)
		give(s, &answer, answer.header.len);
	return step != OUTER_GO_ON;
}

/* union.25: true for what libfuse does not know, and has been answered. */
static bool is_for_birth(const struct session *s, const struct fuse_buf *buffer,
			 size_t n) {
	struct statx birth = { .stx_mask = 0 };
	struct birth_answer answer;
	struct stat st;
	uint64_t node;
	int r;

	if (!s->look || buffer->flags & FUSE_BUF_IS_FD ||
	    !birth_is_asked(buffer->mem, n, &node))
		return false;
	r = s->look(s->look_data, node, &st, &birth);
	birth_answer(buffer->mem, r, &st, &birth, (uint32_t)SESSION_FOREVER, &answer);
	give(s, &answer, answer.header.len);
	return true;
}

/* Answers one request. 0, also where it was withdrawn; 1 when the last user has left; or a negative errno. */
static int answer(struct session *s, struct fuse_buf *buffer, struct affinity *a) {
	int n = fuse_session_receive_buf(s->fuse, buffer);

	if (n > 0) {
		affinity_request(a, client_of(buffer, (size_t)n));
		if (!is_for_outer(s, buffer, (size_t)n) &&
		    !is_for_birth(s, buffer, (size_t)n)) {
			translate(buffer, (size_t)n);
			fuse_session_process_buf(s->fuse, buffer);
		}
		affinity_answered(a);
	}
	if (n == -EINTR || n == -EAGAIN)
		return 0;
	return n < 0 ? n : fuse_session_exited(s->fuse);
}

static int greet(struct session *s, const bool *greeted) {
	struct fuse_buf buffer = { .mem = NULL };
	struct affinity a;
	int r = 0;

	affinity_begin(&a, -EBADF);
	while (r == 0 && !*greeted)
		r = answer(s, &buffer, &a);
	free(buffer.mem);
	return r > 0 ? -ENOTCONN : r;
}

/* As answer(), unless that is 0. */
static int answer_all(struct session *s) {
	struct fuse_buf buffer = { .mem = NULL };
	struct affinity a;
	int r = 0;

	affinity_begin(&a, s->proc);
	while (r == 0)
		r = answer(s, &buffer, &a);
	affinity_end(&a);
	free(buffer.mem);
	return r;
}

static void *work(void *worker) {
	struct worker *w = worker;
	struct session *s = w->session;
	int r = s->begin ? s->begin(s->userdata, w->number) : 0;

	sem_post(&s->begun);
	if (r == 0)
		r = answer_all(s);
	if (r < 0)
		__atomic_store_n(&s->error, r, __ATOMIC_RELAXED);
	sem_post(&s->ended);
	return NULL;
}

static void await(sem_t *s) {
	while (sem_wait(s) < 0)
		; /* a signal */
}

/* When it returns, the C library has done what it does at the beginning of each thread. */
static int start(struct session *s, unsigned n, struct worker *workers) {
	pthread_attr_t attributes;
	int r = -pthread_attr_init(&attributes);

	if (r < 0)
		return r;
	pthread_attr_setstacksize(&attributes, STACK_SIZE);
	for (unsigned i = 0; r == 0 && i < n; i++) {
		workers[i].session = s;
		workers[i].number = i;
		r = -pthread_create(&workers[i].thread, &attributes, work, &workers[i]);
	}
	pthread_attr_destroy(&attributes);
	for (unsigned i = 0; r == 0 && i < n; i++)
		await(&s->begun);
	return r;
}

/* Without other threads: there is nobody to wait for, which matters to how soon the mount can be used. */
static int run_alone(struct session *s, int (*begin)(void *userdata, unsigned thread),
		     int (*ready)(void *userdata), void *userdata) {
	int r = begin ? begin(userdata, 0) : 0;

	if (r == 0)
		r = ready(userdata);
	if (r == 0)
		r = answer_all(s);
	return r < 0 ? r : 0;
}

static int run_threads(struct session *s, unsigned n,
		       int (*begin)(void *userdata, unsigned thread),
		       int (*ready)(void *userdata), void *userdata) {
	struct worker *workers = calloc(n, sizeof(*workers));
	int r;

	if (!workers)
		return -ENOMEM;
	s->begin = begin;
	s->userdata = userdata;
	r = start(s, n, workers);
	if (r == 0)
		r = ready(userdata);
	if (r < 0)
		return r; /* threads that have begun still use the workers */
	await(&s->ended);
	r = __atomic_load_n(&s->error, __ATOMIC_RELAXED);
	if (r < 0)
		return r;
	for (unsigned i = 0; i < n; i++)
		pthread_join(workers[i].thread, NULL);
	free(workers);
	return 0;
}

int session_run(struct session *s, unsigned n,
		int (*begin)(void *userdata, unsigned thread),
		int (*ready)(void *userdata), void *userdata) {
	return n == 1 ? run_alone(s, begin, ready, userdata)
		      : run_threads(s, n, begin, ready, userdata);
}

/* libfuse takes a connection that is there already under this name. */
static int connect_to(struct fuse_session *fuse, int fuse_fd) {
	char path[32];

	snprintf(path, sizeof(path), "/dev/fd/%d", fuse_fd);
	return fuse_session_mount(fuse, path) < 0 ? -EIO : 0;
}

int session_new(int fuse_fd, const struct fuse_lowlevel_ops *ops, size_t size,
		void *userdata, const bool *greeted, struct passthrough *p,
		struct session **ret) {
	_cleanup_close_ int fd = fuse_fd;
	_cleanup_(session_freep) struct session *s = calloc(1, sizeof(*s));
	char name[] = "extmerge-fuse", *argv[] = { name, NULL };
	struct fuse_args arguments = FUSE_ARGS_INIT(1, argv);
	int r;

	if (!s)
		return -ENOMEM;
	s->proc = -EBADF;
	sem_init(&s->begun, 0, 0);
	sem_init(&s->ended, 0, 0);
	s->fuse = fuse_session_new(&arguments, ops, size, userdata);
	fuse_opt_free_args(&arguments);
	if (!s->fuse)
		return -ENOMEM;
	r = connect_to(s->fuse, fd);
	if (r == 0)
		fd = -EBADF; /* libfuse closes it */
	if (r == 0 && p)
		r = passthrough_prepare(p, s->fuse, fuse_fd);
	if (r == 0)
		r = greet(s, greeted);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(s);
	return 0;
}

void session_follow_clients(struct session *s) {
	if (s->proc < 0)
		s->proc = affinity_prepare();
}

void session_tell_births(struct session *s,
			 int (*look)(void *userdata, uint64_t node, struct stat *ret,
				     struct statx *ret_birth),
			 void *userdata) {
	s->look = look;
	s->look_data = userdata;
}

void session_enclose(struct session *s) {
	s->is_enclosed = true;
}

void session_invalidate(struct session *s, uint64_t node, bool data) {
	if (s->is_enclosed)
		node = outer_number(node);
	fuse_lowlevel_notify_inval_inode(s->fuse, node, data ? 0 : -1, 0);
}

void session_free(struct session *s) {
	if (!s)
		return;
	if (s->fuse)
		fuse_session_destroy(s->fuse);
	close_fdp(&s->proc);
	sem_destroy(&s->begun);
	sem_destroy(&s->ended);
	free(s);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The only user of libfuse3: its low-level interface, in threads of our own, each with a reader of its own. */
#define FUSE_USE_VERSION 35
#include "serve.h"

#include <fuse_lowlevel.h>
#include <pthread.h>
#include <semaphore.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "request.h"

/* Bytes. Several requests are read ahead, so that all threads have work; and each fits the cache of a CPU. */
#define READ_MAX ((size_t)256 * 1024)
#define STACK_SIZE ((size_t)256 * 1024)
#define FOREVER ((double)UINT32_MAX) /* seconds */

struct worker {
	struct serve *serve;
	struct verified_reader *reader;
	pthread_t thread;
};

struct serve {
	struct fuse_session *session;
	struct verified *file;
	struct complaints *log;
	pthread_key_t current; /* the struct worker of a thread */
	sem_t begun, ended;    /* count threads */
	int error; /* of the first that ended otherwise than by the last user's leaving */
	bool greeted, opens_unasked;
	unsigned n_workers;
	struct worker workers[REQUEST_THREADS_MAX];
};

static uint64_t now(void) {
	struct timespec t = { 0 };

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec;
}

/* --- requests --- */

static void want(struct fuse_conn_info *conn, unsigned capability, bool wanted) {
	if (wanted)
		conn->want |= conn->capable & capability;
	else
		conn->want &= ~capability;
}

/* vfile.6: nothing can change, so the kernel need not ask again; and it should ask for much at once. */
static void on_init(void *userdata, struct fuse_conn_info *conn) {
	struct serve *s = userdata;

	want(conn,
	     FUSE_CAP_ASYNC_READ | FUSE_CAP_NO_OPEN_SUPPORT | FUSE_CAP_EXPLICIT_INVAL_DATA,
	     true);
	want(conn,
	     FUSE_CAP_AUTO_INVAL_DATA | FUSE_CAP_SPLICE_READ | FUSE_CAP_SPLICE_WRITE |
		     FUSE_CAP_SPLICE_MOVE,
	     false);
	conn->max_write =
		READ_MAX; /* bounds reads as well: it is what pages are counted by */
	s->opens_unasked = conn->want & FUSE_CAP_NO_OPEN_SUPPORT;
	s->greeted = true;
}

static void on_getattr(fuse_req_t request, fuse_ino_t inode, struct fuse_file_info *info) {
	const struct serve *s = fuse_req_userdata(request);
	uint64_t size = verified_size(s->file);
	const struct stat st = {
		.st_ino = FUSE_ROOT_ID,
		.st_mode = S_IFREG | 0400,
		.st_nlink = 1,
		.st_size = (off_t)size,
		.st_blocks = (blkcnt_t)((size + 511) / 512),
		.st_blksize = 4096,
	};

	if (inode != FUSE_ROOT_ID)
		fuse_reply_err(request, ENOENT);
	else
		fuse_reply_attr(request, &st, FOREVER);
}

/* After ENOSYS the kernel opens without asking. */
static void on_open(fuse_req_t request, fuse_ino_t inode, struct fuse_file_info *info) {
	const struct serve *s = fuse_req_userdata(request);

	info->keep_cache = 1;
	if (s->opens_unasked)
		fuse_reply_err(request, ENOSYS);
	else
		fuse_reply_open(request, info);
}

static void on_read(fuse_req_t request, fuse_ino_t inode, size_t size, off_t offset,
		    struct fuse_file_info *info) {
	struct serve *s = fuse_req_userdata(request);
	struct worker *w = pthread_getspecific(s->current);
	struct hashtree_fault fault;
	const uint8_t *bytes;
	ssize_t n;

	if (inode != FUSE_ROOT_ID || offset < 0 || size > READ_MAX) {
		fuse_reply_err(request, EINVAL);
		return;
	}
	n = verified_read(w->reader, (uint64_t)offset, size, &bytes, &fault);
	if (n >= 0) {
		fuse_reply_buf(request, (const char *)bytes, (size_t)n);
		return;
	}
	complaints_add(s->log, &fault, (int)n, now());
	fuse_reply_err(request, EIO);
}

static const struct fuse_lowlevel_ops operations = {
	.init = on_init,
	.getattr = on_getattr,
	.open = on_open,
	.read = on_read,
};

/* --- threads --- */

/* Answers one request. 0, also where it was withdrawn; 1 when the last user has left; or a negative errno. */
static int answer(struct serve *s, struct fuse_buf *buffer) {
	int n = fuse_session_receive_buf(s->session, buffer);

	if (n > 0)
		fuse_session_process_buf(s->session, buffer);
	if (n == -EINTR || n == -EAGAIN)
		return 0;
	return n < 0 ? n : fuse_session_exited(s->session);
}

static int greet(struct serve *s) {
	struct fuse_buf buffer = { .mem = NULL };
	int r = 0;

	while (r == 0 && !s->greeted)
		r = answer(s, &buffer);
	free(buffer.mem);
	return r > 0 ? -ENOTCONN : r;
}

static void *work(void *worker) {
	struct worker *w = worker;
	struct serve *s = w->serve;
	struct fuse_buf buffer = { .mem = NULL };
	int r = pthread_setspecific(s->current, w) == 0 ? 0 : -ENOMEM;

	sem_post(&s->begun);
	while (r == 0)
		r = answer(s, &buffer);
	free(buffer.mem);
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
static int start_workers(struct serve *s) {
	pthread_attr_t attributes;
	int r = -pthread_attr_init(&attributes);

	if (r < 0)
		return r;
	pthread_attr_setstacksize(&attributes, STACK_SIZE);
	for (unsigned i = 0; r == 0 && i < s->n_workers; i++)
		r = -pthread_create(&s->workers[i].thread, &attributes, work,
				    &s->workers[i]);
	pthread_attr_destroy(&attributes);
	for (unsigned i = 0; r == 0 && i < s->n_workers; i++)
		await(&s->begun);
	return r;
}

int serve_run(struct serve *s, int (*ready)(void *userdata), void *userdata) {
	int r = start_workers(s);

	if (r == 0)
		r = ready(userdata);
	if (r < 0)
		return r;
	await(&s->ended);
	r = __atomic_load_n(&s->error, __ATOMIC_RELAXED);
	for (unsigned i = 0; r == 0 && i < s->n_workers; i++)
		pthread_join(s->workers[i].thread, NULL);
	return r;
}

/* --- beginning and end --- */

/* libfuse takes a connection that is there already under this name. */
static int open_session(struct serve *s, int fuse_fd) {
	char name[] = "extmerge-fuse", path[32], *argv[] = { name, NULL };
	struct fuse_args arguments = FUSE_ARGS_INIT(1, argv);

	s->session = fuse_session_new(&arguments, &operations, sizeof(operations), s);
	if (!s->session)
		return -ENOMEM;
	snprintf(path, sizeof(path), "/dev/fd/%d", fuse_fd);
	return fuse_session_mount(s->session, path) < 0 ? -EIO : 0;
}

static int prepare_workers(struct serve *s, unsigned threads) {
	int r = 0;

	if (threads < 1 || threads > REQUEST_THREADS_MAX)
		return -EINVAL;
	for (; r == 0 && s->n_workers < threads; s->n_workers++) {
		struct worker *w = &s->workers[s->n_workers];

		w->serve = s;
		r = verified_reader_new(s->file, READ_MAX, &w->reader);
	}
	return r;
}

int serve_new(int fuse_fd, struct verified *file, struct complaints *log,
	      unsigned threads, struct serve **ret) {
	_cleanup_(serve_freep) struct serve *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return -ENOMEM;
	s->file = file;
	s->log = log;
	sem_init(&s->begun, 0, 0);
	sem_init(&s->ended, 0, 0);
	r = -pthread_key_create(&s->current, NULL);
	if (r < 0) {
		free(TAKE_PTR(s));
		return r;
	}
	r = prepare_workers(s, threads);
	if (r == 0)
		r = open_session(s, fuse_fd);
	if (r == 0)
		r = greet(s);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(s);
	return 0;
}

void serve_free(struct serve *s) {
	if (!s)
		return;
	for (unsigned i = 0; i < s->n_workers; i++)
		verified_reader_free(s->workers[i].reader);
	if (s->session)
		fuse_session_destroy(s->session);
	pthread_key_delete(s->current);
	sem_destroy(&s->begun);
	sem_destroy(&s->ended);
	free(s);
}

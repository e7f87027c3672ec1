/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The operations of a file that is the root of its mount; each thread has a reader of its own. */
#define FUSE_USE_VERSION 35
#include "serve.h"

#include <fuse_lowlevel.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "request.h"
#include "session.h"

/* Bytes. Several requests are read ahead, so that all threads have work; and each fits the cache of a CPU. */
#define READ_MAX ((size_t)256 * 1024)

struct serve {
	struct session *session;
	struct verified *file;
	struct complaints *log;
	pthread_key_t current; /* the struct verified_reader of a thread */
	bool greeted, opens_unasked;
	unsigned n_readers;
	struct verified_reader *readers[REQUEST_THREADS_MAX];
	int (*ready)(void *userdata);
	void *userdata; /* of ready */
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
		fuse_reply_attr(request, &st, SESSION_FOREVER);
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
	struct verified_reader *reader = pthread_getspecific(s->current);
	struct hashtree_fault fault;
	const uint8_t *bytes;
	ssize_t n;

	if (inode != FUSE_ROOT_ID || offset < 0 || size > READ_MAX) {
		fuse_reply_err(request, EINVAL);
		return;
	}
	n = verified_read(reader, (uint64_t)offset, size, &bytes, &fault);
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

/* --- beginning and end --- */

static int on_thread(void *userdata, unsigned thread) {
	struct serve *s = userdata;

	return -pthread_setspecific(s->current, s->readers[thread]);
}

static int on_ready(void *userdata) {
	struct serve *s = userdata;

	return s->ready(s->userdata);
}

int serve_run(struct serve *s, int (*ready)(void *userdata), void *userdata) {
	s->ready = ready;
	s->userdata = userdata;
	return session_run(s->session, s->n_readers, on_thread, on_ready, s);
}

static int prepare_readers(struct serve *s, unsigned threads) {
	int r = 0;

	if (threads < 1 || threads > REQUEST_THREADS_MAX)
		return -EINVAL;
	for (; r == 0 && s->n_readers < threads; s->n_readers++)
		r = verified_reader_new(s->file, READ_MAX, &s->readers[s->n_readers]);
	return r;
}

int serve_new(int fuse_fd, struct verified *file, struct complaints *log,
	      unsigned threads, struct serve **ret) {
	_cleanup_close_ int fd = fuse_fd;
	_cleanup_(serve_freep) struct serve *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return -ENOMEM;
	s->file = file;
	s->log = log;
	r = -pthread_key_create(&s->current, NULL);
	if (r < 0) {
		free(TAKE_PTR(s));
		return r;
	}
	r = prepare_readers(s, threads);
	if (r == 0)
		r = session_new(TAKE_FD(fd), &operations, sizeof(operations), s,
				&s->greeted, NULL, &s->session);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(s);
	return 0;
}

void serve_free(struct serve *s) {
	if (!s)
		return;
	for (unsigned i = 0; i < s->n_readers; i++)
		verified_reader_free(s->readers[i]);
	session_free(s->session);
	pthread_key_delete(s->current);
	free(s);
}

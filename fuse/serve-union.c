/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The operations of a union that never changes: what the kernel has got once, it keeps. */
#define FUSE_USE_VERSION 35
#include "serve-ops.h"

#include <limits.h>
#include <sched.h>

#include "backing.h"
#include "session.h"

/* --- the beginning --- */

static void on_init(void *userdata, struct fuse_conn_info *conn) {
	struct serve_union *s = userdata;
	unsigned wanted = FUSE_CAP_ASYNC_READ | FUSE_CAP_READDIRPLUS |
			  FUSE_CAP_READDIRPLUS_AUTO | FUSE_CAP_PARALLEL_DIROPS |
			  FUSE_CAP_CACHE_SYMLINKS | FUSE_CAP_NO_OPEN_SUPPORT |
			  FUSE_CAP_NO_OPENDIR_SUPPORT | FUSE_CAP_EXPLICIT_INVAL_DATA;

	/* union.9: without a layer that can have lists the kernel need not ask for them. */
	if (union_has_acls(s->tree))
		wanted |= FUSE_CAP_POSIX_ACL;
	conn->want = conn->capable & wanted;
	conn->max_write =
		BUFFER_SIZE; /* bounds reads as well: it is what pages are counted by */
	s->opens_unasked = conn->want & FUSE_CAP_NO_OPEN_SUPPORT;
	s->lists_unasked = conn->want & FUSE_CAP_NO_OPENDIR_SUPPORT;
	passthrough_want(&s->passthrough, conn);
	s->greeted = true;
}

/* --- names and attributes --- */

static void fill_entry(struct fuse_entry_param *e, uint64_t node, const struct stat *st) {
	*e = (struct fuse_entry_param){
		.ino = node,
		.attr = *st,
		.attr_timeout = SESSION_FOREVER,
		.entry_timeout = SESSION_FOREVER,
	};
}

/* A name that is not there is an entry without a node: that is kept too. */
static void on_lookup(fuse_req_t request, fuse_ino_t parent, const char *name) {
	struct union_tree *u = tree_of(request);
	struct stat st = { .st_ino = 0 };
	struct fuse_entry_param e;
	uint64_t node = 0;
	int r = union_lookup(u, parent, name, &node, &st);

	if (r < 0 && r != -ENOENT) {
		reply(request, r);
		return;
	}
	fill_entry(&e, node, &st);
	if (fuse_reply_entry(request, &e) < 0 && node != 0)
		union_forget(u, node, 1);
}

static void forget(const struct serve_union *s, uint64_t node, uint64_t times) {
	if (s->openings)
		openings_forget(s->openings, node, times);
	else
		union_forget(s->tree, node, times);
}

static void on_forget(fuse_req_t request, fuse_ino_t node, uint64_t times) {
	forget(fuse_req_userdata(request), node, times);
	fuse_reply_none(request);
}

static void on_forget_multi(fuse_req_t request, size_t n, struct fuse_forget_data *list) {
	for (size_t i = 0; i < n; i++)
		forget(fuse_req_userdata(request), list[i].ino, list[i].nlookup);
	fuse_reply_none(request);
}

static void on_getattr(fuse_req_t request, fuse_ino_t node, struct fuse_file_info *info) {
	struct stat st;
	int r = union_stat(tree_of(request), node, &st);

	if (r < 0)
		reply(request, r);
	else
		fuse_reply_attr(request, &st, SESSION_FOREVER);
}

static void on_readlink(fuse_req_t request, fuse_ino_t node) {
	char target[PATH_MAX];
	int r = union_readlink(tree_of(request), node, target, sizeof(target));

	if (r < 0)
		reply(request, r);
	else
		fuse_reply_readlink(request, target);
}

static void on_statfs(fuse_req_t request, fuse_ino_t node) {
	struct statvfs fs;
	int r = union_statfs(tree_of(request), &fs);

	if (r < 0)
		reply(request, r);
	else
		fuse_reply_statfs(request, &fs);
}

/* --- directories --- */

static void on_opendir(fuse_req_t request, fuse_ino_t node, struct fuse_file_info *info) {
	const struct serve_union *s = fuse_req_userdata(request);

	info->keep_cache = 1;
	info->cache_readdir = 1;
	if (s->lists_unasked)
		fuse_reply_err(request, ENOSYS);
	else
		fuse_reply_open(request, info);
}

struct listing {
	fuse_req_t request;
	char *buffer;
	size_t size, used;
	bool looked_up;
};

static bool take(const struct union_listed *l, void *data) {
	struct listing *to = data;
	size_t left = to->size - to->used, needed;
	struct fuse_entry_param e;

	if (to->looked_up) {
		fill_entry(&e, l->node, &l->st);
		needed = fuse_add_direntry_plus(to->request, to->buffer + to->used, left,
						l->name, &e, (off_t)l->next);
	} else {
		needed = fuse_add_direntry(to->request, to->buffer + to->used, left,
					   l->name, &l->st, (off_t)l->next);
	}
	if (needed > left)
		return false;
	to->used += needed;
	return true;
}

static void list(fuse_req_t request, fuse_ino_t node, size_t size, off_t position,
		 bool look_up) {
	struct listing to = { .request = request,
			      .buffer = buffer_of(request),
			      .size = size < BUFFER_SIZE ? size : BUFFER_SIZE,
			      .looked_up = look_up };
	int r = union_list(tree_of(request), node, (uint64_t)position, look_up, take, &to);

	/* What was taken has been counted, so it is given out; the error comes again with the next request. */
	if (r < 0 && to.used == 0)
		reply(request, r);
	else
		fuse_reply_buf(request, to.buffer, to.used);
}

static void on_readdir(fuse_req_t request, fuse_ino_t node, size_t size, off_t position,
		       struct fuse_file_info *info) {
	list(request, node, size, position, false);
}

static void on_readdirplus(fuse_req_t request, fuse_ino_t node, size_t size,
			   off_t position, struct fuse_file_info *info) {
	list(request, node, size, position, true);
}

static const struct fuse_lowlevel_ops operations = {
	.init = on_init,
	.lookup = on_lookup,
	.forget = on_forget,
	.forget_multi = on_forget_multi,
	.getattr = on_getattr,
	.readlink = on_readlink,
	.statfs = on_statfs,
	.opendir = on_opendir,
	.readdir = on_readdir,
	.readdirplus = on_readdirplus,
	.open = serve_on_open,
	.release = serve_on_release,
	.read = serve_on_read,
	.lseek = serve_on_lseek,
	.getxattr = serve_on_getxattr,
	.listxattr = serve_on_listxattr,
};

static int on_statx(void *userdata, uint64_t node, struct stat *ret,
		    struct statx *ret_birth) {
	const struct serve_union *s = userdata;
	int r = union_stat(s->tree, node, ret);

	if (r == 0)
		union_birth(s->tree, node, ret_birth);
	return r;
}

/* --- beginning and end --- */

/* union.h: each thread has a working directory of its own. */
static int on_thread(void *userdata, unsigned thread) {
	struct serve_union *s = userdata;

	if (unshare(CLONE_FS) < 0)
		return -errno;
	return -pthread_setspecific(s->current, s->buffers[thread]);
}

static int on_ready(void *userdata) {
	struct serve_union *s = userdata;

	return s->ready(s->userdata);
}

int serve_union_run(struct serve_union *s, int (*ready)(void *userdata), void *userdata) {
	s->ready = ready;
	s->userdata = userdata;
	return session_run(s->session, s->n_buffers, on_thread, on_ready, s);
}

static int prepare_buffers(struct serve_union *s, unsigned threads) {
	s->buffers = calloc(threads, sizeof(*s->buffers));
	if (!s->buffers)
		return -ENOMEM;
	for (; s->n_buffers < threads; s->n_buffers++) {
		s->buffers[s->n_buffers] = malloc(BUFFER_SIZE);
		if (!s->buffers[s->n_buffers])
			return -ENOMEM;
	}
	return 0;
}

/* union.17: the kernel offers it also to those whom it refuses later, so that is tried. */
static int choose_io(struct serve_union *s, int fuse_fd, enum union_io io) {
	int r = s->passthrough.granted ? backing_probe(fuse_fd) : -EOPNOTSUPP;

	if (io != UNION_IO_CACHED && r == 0)
		return openings_new(fuse_fd, s->tree, &s->openings);
	return io == UNION_IO_PASSTHROUGH ? r : 0;
}

int serve_union_new(int fuse_fd, struct union_tree *u, unsigned threads, enum union_io io,
		    struct serve_union **ret) {
	_cleanup_(serve_union_freep) struct serve_union *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return -ENOMEM;
	s->tree = u;
	s->passthrough.depth = io == UNION_IO_CACHED ? 0 : union_depth(u);
	r = -pthread_key_create(&s->current, NULL);
	if (r < 0) {
		free(TAKE_PTR(s));
		return r;
	}
	r = prepare_buffers(s, threads);
	if (r == 0)
		r = session_new(fuse_fd, &operations, sizeof(operations), s, &s->greeted,
				&s->passthrough, &s->session);
	if (r == 0)
		r = choose_io(s, fuse_fd, io);
	if (r < 0)
		return r;
	session_follow_clients(s->session);
	session_tell_births(s->session, on_statx, s);
	*ret = TAKE_PTR(s);
	return 0;
}

void serve_union_enclose(struct serve_union *s) {
	session_enclose(s->session);
}

void serve_union_free(struct serve_union *s) {
	if (!s)
		return;
	session_free(s->session);
	openings_free(s->openings);
	for (unsigned i = 0; i < s->n_buffers; i++)
		free(s->buffers[i]);
	free(s->buffers);
	pthread_key_delete(s->current);
	free(s);
}

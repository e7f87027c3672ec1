/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The operations of a writable union. Only we change the tree, so the kernel keeps all that it has not changed itself. */
#define FUSE_USE_VERSION 35
#include <fcntl.h>
#include <limits.h>
#include <sched.h>

#include "overlay-ops.h"

/* overlay.12: no writeback cache, so that what is acknowledged is in the upper directory. */
static void on_init(void *userdata, struct fuse_conn_info *conn) {
	struct serve_overlay *s = userdata;
	unsigned wanted = FUSE_CAP_ASYNC_READ | FUSE_CAP_READDIRPLUS |
			  FUSE_CAP_READDIRPLUS_AUTO | FUSE_CAP_PARALLEL_DIROPS |
			  FUSE_CAP_CACHE_SYMLINKS | FUSE_CAP_EXPLICIT_INVAL_DATA |
			  FUSE_CAP_ATOMIC_O_TRUNC | FUSE_CAP_DONT_MASK |
			  FUSE_CAP_ASYNC_DIO;

	if (overlay_has_acls(s->overlay))
		wanted |= FUSE_CAP_POSIX_ACL;
	conn->want = conn->capable & wanted;
	conn->max_write = BUFFER_SIZE;
	passthrough_want(&s->greeting, conn);
	s->greeted = true;
}

/* --- names and attributes --- */

static void reply_entry(fuse_req_t request, int r, uint64_t node, const struct stat *st) {
	struct fuse_entry_param e;

	if (r < 0) {
		reply(request, r);
		return;
	}
	fill_entry(&e, node, st);
	if (fuse_reply_entry(request, &e) < 0 && node != 0)
		overlay_forget(overlay_of(request), node, 1);
}

/* A name that is not there is an entry without a node: that is kept too. */
static void on_lookup(fuse_req_t request, fuse_ino_t parent, const char *name) {
	struct stat st = { .st_ino = 0 };
	uint64_t node = 0;
	int r = overlay_lookup(overlay_of(request), parent, name, &node, &st);

	reply_entry(request, r == -ENOENT ? 0 : r, node, &st);
}

static void on_forget(fuse_req_t request, fuse_ino_t node, uint64_t times) {
	overlay_forget(overlay_of(request), node, times);
	fuse_reply_none(request);
}

static void on_forget_multi(fuse_req_t request, size_t n, struct fuse_forget_data *list) {
	for (size_t i = 0; i < n; i++)
		overlay_forget(overlay_of(request), list[i].ino, list[i].nlookup);
	fuse_reply_none(request);
}

static void reply_stat(fuse_req_t request, int r, const struct stat *st) {
	if (r < 0)
		reply(request, r);
	else
		fuse_reply_attr(request, st, SESSION_FOREVER);
}

static void on_getattr(fuse_req_t request, fuse_ino_t node, struct fuse_file_info *info) {
	struct stat st;
	int r = overlay_stat(overlay_of(request), node, &st);

	reply_stat(request, r, &st);
}

static struct timespec time_of(int set, int now, int given, struct timespec t) {
	if (set & now)
		t.tv_nsec = UTIME_NOW;
	else if (!(set & given))
		t.tv_nsec = UTIME_OMIT;
	return t;
}

static void on_setattr(fuse_req_t request, fuse_ino_t node, struct stat *st, int set,
		       struct fuse_file_info *info) {
	const struct overlay_caller by = caller_of(request);
	const struct overlay_change c = {
		.set_mode = set & FUSE_SET_ATTR_MODE,
		.set_size = set & FUSE_SET_ATTR_SIZE,
		.kills = session_kills_suid() ? &by : NULL,
		.mode = st->st_mode,
		.uid = set & FUSE_SET_ATTR_UID ? st->st_uid : (uid_t)-1,
		.gid = set & FUSE_SET_ATTR_GID ? st->st_gid : (gid_t)-1,
		.size = st->st_size,
		.times = { time_of(set, FUSE_SET_ATTR_ATIME_NOW, FUSE_SET_ATTR_ATIME,
				   st->st_atim),
			   time_of(set, FUSE_SET_ATTR_MTIME_NOW, FUSE_SET_ATTR_MTIME,
				   st->st_mtim) },
	};
	struct stat changed;
	int r = overlay_change(overlay_of(request), node, &c, &changed);

	reply_stat(request, r, &changed);
}

static void on_readlink(fuse_req_t request, fuse_ino_t node) {
	char target[PATH_MAX];
	int r = overlay_readlink(overlay_of(request), node, target, sizeof(target));

	if (r < 0)
		reply(request, r);
	else
		fuse_reply_readlink(request, target);
}

static void on_statfs(fuse_req_t request, fuse_ino_t node) {
	struct statvfs fs;
	int r = overlay_statfs(overlay_of(request), &fs);

	if (r < 0)
		reply(request, r);
	else
		fuse_reply_statfs(request, &fs);
}

/* --- new entries, and the end of them --- */

static void make(fuse_req_t request, fuse_ino_t parent, const char *name,
		 const struct overlay_making *m) {
	const struct overlay_caller by = caller_of(request);
	uint64_t node = 0;
	struct stat st;
	int r = overlay_make(overlay_of(request), parent, name, m, &by, &node, &st);

	reply_entry(request, r, node, &st);
}

static void on_mknod(fuse_req_t request, fuse_ino_t parent, const char *name, mode_t mode,
		     dev_t rdev) {
	make(request, parent, name,
	     &(struct overlay_making){ .mode = mode, .rdev = rdev });
}

static void on_mkdir(fuse_req_t request, fuse_ino_t parent, const char *name,
		     mode_t mode) {
	make(request, parent, name,
	     &(struct overlay_making){ .mode = S_IFDIR | (mode & 07777) });
}

static void on_symlink(fuse_req_t request, const char *target, fuse_ino_t parent,
		       const char *name) {
	make(request, parent, name,
	     &(struct overlay_making){ .mode = S_IFLNK, .target = target });
}

static void on_create(fuse_req_t request, fuse_ino_t parent, const char *name,
		      mode_t mode, struct fuse_file_info *info) {
	const struct overlay_caller by = caller_of(request);
	const struct overlay_making m = { .mode = S_IFREG | (mode & 07777),
					  .opened = true };
	struct overlay *o = overlay_of(request);
	struct fuse_entry_param e;
	uint64_t node = 0;
	struct stat st;
	int r;

	if ((info->flags & O_TMPFILE) == O_TMPFILE)
		r = overlay_make_nameless(o, parent, mode, &by, &node, &st);
	else
		r = overlay_make(o, parent, name, &m, &by, &node, &st);
	if (r < 0) {
		reply(request, r);
		return;
	}
	info->keep_cache = 1;
	fill_entry(&e, node, &st);
	if (fuse_reply_create(request, &e, info) < 0) {
		overlay_close(o, node);
		overlay_forget(o, node, 1);
	}
}

static void on_link(fuse_req_t request, fuse_ino_t node, fuse_ino_t parent,
		    const char *name) {
	struct stat st;
	int r = overlay_link(overlay_of(request), node, parent, name, &st);

	reply_entry(request, r, node, &st);
}

static void on_unlink(fuse_req_t request, fuse_ino_t parent, const char *name) {
	reply(request, overlay_remove(overlay_of(request), parent, name, false));
}

static void on_rmdir(fuse_req_t request, fuse_ino_t parent, const char *name) {
	reply(request, overlay_remove(overlay_of(request), parent, name, true));
}

static void on_rename(fuse_req_t request, fuse_ino_t from, const char *name,
		      fuse_ino_t to, const char *new_name, unsigned flags) {
	reply(request,
	      overlay_rename(overlay_of(request), from, name, to, new_name, flags));
}

static const struct fuse_lowlevel_ops operations = {
	.init = on_init,
	.lookup = on_lookup,
	.forget = on_forget,
	.forget_multi = on_forget_multi,
	.getattr = on_getattr,
	.setattr = on_setattr,
	.readlink = on_readlink,
	.mknod = on_mknod,
	.mkdir = on_mkdir,
	.unlink = on_unlink,
	.rmdir = on_rmdir,
	.symlink = on_symlink,
	.rename = on_rename,
	.link = on_link,
	.create = on_create,
	.statfs = on_statfs,
	.opendir = serve_overlay_on_opendir,
	.releasedir = serve_overlay_on_releasedir,
	.readdir = serve_overlay_on_readdir,
	.readdirplus = serve_overlay_on_readdirplus,
	.fsyncdir = serve_overlay_on_fsyncdir,
	.open = serve_overlay_on_open,
	.release = serve_overlay_on_release,
	.read = serve_overlay_on_read,
	.write = serve_overlay_on_write,
	.fsync = serve_overlay_on_fsync,
	.fallocate = serve_overlay_on_fallocate,
	.lseek = serve_overlay_on_lseek,
	.copy_file_range = serve_overlay_on_copy_file_range,
	.getxattr = serve_overlay_on_getxattr,
	.listxattr = serve_overlay_on_listxattr,
	.setxattr = serve_overlay_on_setxattr,
	.removexattr = serve_overlay_on_removexattr,
};

static int on_statx(void *userdata, uint64_t node, struct stat *ret,
		    struct statx *ret_birth) {
	const struct serve_overlay *s = userdata;
	int r = overlay_stat(s->overlay, node, ret);

	if (r == 0)
		overlay_birth(s->overlay, node, ret_birth);
	return r;
}

/* --- beginning and end --- */

/* overlay.h: each thread has a working directory and a umask of its own. */
static int on_thread(void *userdata, unsigned thread) {
	struct serve_overlay *s = userdata;

	if (unshare(CLONE_FS) < 0)
		return -errno;
	umask(0);
	return -pthread_setspecific(s->current, s->buffers[thread]);
}

static int on_ready(void *userdata) {
	struct serve_overlay *s = userdata;

	return s->ready(s->userdata);
}

static void on_changed(uint64_t node, bool listing, void *userdata) {
	struct serve_overlay *s = userdata;

	session_invalidate(s->session, node, listing);
}

int serve_overlay_run(struct serve_overlay *s, int (*ready)(void *userdata),
		      void *userdata) {
	s->ready = ready;
	s->userdata = userdata;
	return session_run(s->session, s->n_buffers, on_thread, on_ready, s);
}

static int prepare_buffers(struct serve_overlay *s, unsigned threads) {
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

int serve_overlay_new(int fuse_fd, struct overlay *o, unsigned threads,
		      struct serve_overlay **ret) {
	_cleanup_(serve_overlay_freep) struct serve_overlay *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return -ENOMEM;
	s->overlay = o;
	s->greeting.takes_suid = true;
	r = -pthread_key_create(&s->current, NULL);
	if (r < 0) {
		free(TAKE_PTR(s));
		return r;
	}
	r = prepare_buffers(s, threads);
	if (r == 0)
		r = session_new(fuse_fd, &operations, sizeof(operations), s, &s->greeted,
				&s->greeting, &s->session);
	if (r < 0)
		return r;
	session_follow_clients(s->session);
	session_tell_births(s->session, on_statx, s);
	overlay_watch(o, on_changed, s);
	*ret = TAKE_PTR(s);
	return 0;
}

void serve_overlay_enclose(struct serve_overlay *s) {
	session_enclose(s->session);
}

void serve_overlay_free(struct serve_overlay *s) {
	if (!s)
		return;
	session_free(s->session);
	for (unsigned i = 0; i < s->n_buffers; i++)
		free(s->buffers[i]);
	free(s->buffers);
	pthread_key_delete(s->current);
	free(s);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The nodes of a writable union: finding them, and what they are. */
#include "overlay.h"

#include <fcntl.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>

#include "layers.h"
#include "overlay-state.h"

#define FDS_RESERVED 512

void overlay_unlock(pthread_mutex_t **lock) {
	pthread_mutex_unlock(*lock);
}

pthread_mutex_t *overlay_lock(struct overlay *o) {
	pthread_mutex_lock(&o->lock);
	return &o->lock;
}

/* --- beginning and end --- */

/* Its file system is the first in the numbers of the layers: its own stay as they are. */
static int note_own(struct overlay *o, unsigned i, int fd) {
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	return union_number(o->layers, st.st_dev, st.st_ino, &o->own[i]);
}

static int prepare(struct overlay *o, int upper, int work, const char **ret_why) {
	int r = note_own(o, 0, upper);

	if (r == 0)
		r = note_own(o, 1, work);
	if (r < 0)
		return r;
	r = nodes_init(&o->nodes);
	if (r < 0)
		return r;
	nodes_get(&o->nodes, NODES_ROOT)->lower = NODES_ROOT;
	nodes_get(&o->nodes, NODES_ROOT)->number = o->own[0];
	nodes_get(&o->nodes, NODES_ROOT)->is_upper = true;
	return upper_init(&o->upper, upper, work, o->upper.space, ret_why);
}

/* What is left for callers of what a process may have, beside layers, directories, and what is open for a moment. */
static unsigned count_fds(unsigned n_layers) {
	const rlim_t others = n_layers + FDS_RESERVED;
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) < 0 || files.rlim_cur <= others)
		return 0;
	return files.rlim_cur - others < UINT32_MAX ? (unsigned)(files.rlim_cur - others)
						    : UINT32_MAX;
}

int overlay_new(const int *fds, unsigned n, enum whiteout_space space, int upper,
		int work, struct overlay **ret, const char **ret_why) {
	_cleanup_(overlay_freep) struct overlay *o = calloc(1, sizeof(*o));
	int r;

	*ret_why = "cannot use the layers";
	if (!o)
		return -ENOMEM;
	pthread_mutex_init(&o->lock, NULL);
	pthread_cond_init(&o->copied, NULL);
	fdcache_init(&o->fds);
	o->upper = (struct upper){ .work = -EBADF, .space = space };
	o->fds_max = count_fds(n);
	if (getrandom(&o->builder.seed, sizeof(o->builder.seed), 0) < 0)
		return -errno;
	r = union_new(fds, n, space, &o->layers);
	if (r == 0)
		r = prepare(o, upper, work, ret_why);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(o);
	return 0;
}

int overlay_has_room(const struct overlay *o) {
	return o->n_fds < o->fds_max ? 0 : -ENFILE;
}

int overlay_give_fd(struct overlay *o, struct node *node, int fd, bool writable) {
	int r = overlay_has_room(o);

	if (r < 0) {
		close(fd);
		return r;
	}
	o->n_fds++;
	node->fd = fd;
	node->fd_is_writable = writable;
	return 0;
}

void overlay_take_fd(struct overlay *o, struct node *node) {
	if (node->fd < 0)
		return;
	close(node->fd);
	node->fd = -EBADF;
	o->n_fds--;
}

void overlay_leave(struct node *node, void *overlay) {
	struct overlay *o = overlay;

	overlay_take_fd(o, node);
	if (node->lower != 0 && node->id != NODES_ROOT)
		union_forget(o->layers, node->lower, 1);
	fdcache_drop(&o->fds, (uint32_t)node->id);
}

void overlay_free(struct overlay *o) {
	if (!o)
		return;
	nodes_done(&o->nodes, overlay_leave, o);
	dirindex_builder_done(&o->builder);
	fdcache_done(&o->fds);
	upper_end(&o->upper);
	union_free(o->layers);
	pthread_cond_destroy(&o->copied);
	pthread_mutex_destroy(&o->lock);
	free(o);
}

void overlay_watch(struct overlay *o,
		   void (*changed)(uint64_t node, bool listing, void *data), void *data) {
	o->changed = changed;
	o->data = data;
}

bool overlay_has_acls(const struct overlay *o) {
	return o->upper.has_acls || union_has_acls(o->layers);
}

/* --- where nodes are --- */

int overlay_node(struct overlay *o, uint64_t id, struct node **ret) {
	struct node *node = nodes_get(&o->nodes, id);

	if (!node)
		return -ESTALE;
	*ret = node;
	return 0;
}

int overlay_directory(struct overlay *o, uint64_t id, struct node **ret) {
	int r = overlay_node(o, id, ret);

	return r == 0 && !S_ISDIR((*ret)->type) ? -ENOTDIR : r;
}

static uint64_t fd_key(const struct node *node) {
	return (uint64_t)(uint32_t)node->id << 32 | 1;
}

/* The fd where it is open already, or -ENOENT. */
static int open_already(struct overlay *o, const struct node *node) {
	return node->id == NODES_ROOT ? o->upper.fd : fdcache_find(&o->fds, fd_key(node));
}

/* Writes the path from `above` to `node`, of `length` bytes. */
static void write_path(struct overlay *o, const struct node *above,
		       const struct node *node, size_t length) {
	char *end = o->path + length;

	*end = '\0';
	for (; node != above; node = node->names->parent) {
		size_t n = strlen(node->names->text);

		end -= n;
		memcpy(end, node->names->text, n);
		if (end > o->path)
			*--end = '/';
	}
}

/* overlay.13: whoever else may write in the upper directory can give another file the name of one that is known. */
static int check_same(const struct node *node, const struct stat *st) {
	return node->id == NODES_ROOT || (st->st_ino == node->upper_inode &&
					  (st->st_mode & S_IFMT) == node->type)
		       ? 0
		       : -ESTALE;
}

int overlay_check_fd(const struct node *node, int fd) {
	struct stat st;

	return fstat(fd, &st) < 0 ? -errno : check_same(node, &st);
}

static int open_directory(const struct overlay *o, const struct node *node, int base) {
	_cleanup_close_ int fd = upper_open(base, o->path, O_PATH | O_DIRECTORY);
	int r = fd < 0 ? fd : overlay_check_fd(node, fd);

	return r < 0 ? r : TAKE_FD(fd);
}

int overlay_directory_fd(struct overlay *o, struct node *node) {
	struct node *above = node;
	int base = open_already(o, node), fd;
	size_t length = 0;

	if (base >= 0)
		return base;
	while (base < 0) {
		size_t more;

		if (!above->names)
			return -ENOENT;
		more = strlen(above->names->text) + (length > 0);
		if (length + more >= sizeof(o->path))
			break;
		length += more;
		above = above->names->parent;
		base = open_already(o, above);
	}
	/* A path that is too long for one call: each such step is as long as a path may be. */
	if (base < 0)
		base = overlay_directory_fd(o, above);
	if (base < 0)
		return base;
	write_path(o, above, node, length);
	fd = open_directory(o, node, base);
	if (fd >= 0)
		fdcache_add(&o->fds, fd_key(node), fd);
	return fd;
}

static int find_place(struct overlay *o, struct node *node, const char **ret_name) {
	if (node->id == NODES_ROOT) {
		*ret_name = ".";
		return o->upper.fd;
	}
	if (node->names) {
		*ret_name = node->names->text;
		return overlay_directory_fd(o, node->names->parent);
	}
	*ret_name = "";
	return node->fd >= 0 ? node->fd : -ESTALE;
}

int overlay_reach(struct overlay *o, struct node *node, const char **ret_name) {
	int fd = find_place(o, node, ret_name), r;
	struct stat st;

	if (fd < 0 || !node->names)
		return fd;
	if (fstatat(fd, *ret_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	r = check_same(node, &st);
	return r < 0 ? r : fd;
}

/* --- what they are --- */

/* union.12, overlay.6: one number as long as it is known, and one link of a directory that is merged. */
void overlay_adjust(const struct node *node, struct stat *st) {
	st->st_ino = node->number;
	if (S_ISDIR(node->type) && node->is_upper && node->lower != 0)
		st->st_nlink = 1;
}

int overlay_stat_node(struct overlay *o, struct node *node, struct stat *ret) {
	const char *name;
	struct stat st;
	int fd, r = 0;

	if (!node->names && node->fd < 0 && node->last) {
		*ret = *node->last;
		return 0;
	}
	if (!node->is_upper) {
		r = union_stat(o->layers, node->lower, &st);
	} else if (node->fd >= 0) {
		r = fstat(node->fd, &st) < 0 ? -errno : 0;
	} else {
		fd = find_place(o, node, &name);
		if (fd < 0)
			return fd;
		r = fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0
			    ? -errno
			    : check_same(node, &st);
	}
	if (r < 0)
		return r;
	if ((st.st_mode & S_IFMT) != node->type)
		return -EIO; /* changed below us */
	overlay_adjust(node, &st);
	*ret = st;
	return 0;
}

/* --- for everybody --- */

int overlay_lookup(struct overlay *o, uint64_t directory, const char *name,
		   uint64_t *ret_node, struct stat *ret) {
	struct node *parent, *node;
	LOCKED(o);
	int r = overlay_directory(o, directory, &parent);

	if (r == 0)
		r = overlay_find(o, parent, name, &node, ret);
	if (r < 0)
		return r;
	node->lookups++;
	*ret_node = node->id;
	return 0;
}

void overlay_forget(struct overlay *o, uint64_t id, uint64_t times) {
	struct node *node;
	LOCKED(o);

	if (overlay_node(o, id, &node) < 0)
		return;
	node->lookups = times < node->lookups ? node->lookups - times : 0;
	overlay_tidy(o, node);
}

int overlay_stat(struct overlay *o, uint64_t id, struct stat *ret) {
	struct node *node;
	LOCKED(o);
	int r = overlay_node(o, id, &node);

	return r < 0 ? r : overlay_stat_node(o, node, ret);
}

void overlay_birth(struct overlay *o, uint64_t id, struct statx *ret) {
	struct node *node;
	const char *name;
	LOCKED(o);
	int r = overlay_node(o, id, &node), fd = r;

	if (r == 0 && !node->is_upper) {
		union_birth(o->layers, node->lower, ret);
		return;
	}
	if (r == 0)
		fd = find_place(o, node, &name);
	if (fd < 0 ||
	    statx(fd, name, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH, STATX_BTIME, ret) < 0)
		ret->stx_mask = 0;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is in files and directories. */
#include <dirent.h>
#include <fcntl.h>
#include <string.h>

#include "../merge/kernel.h"
#include "merger.h"
#include "overlay-state.h"

int overlay_open_upper(struct overlay *o, struct node *node, int flags) {
	const char *name;
	_cleanup_close_ int opened = -EBADF;
	int fd = overlay_reach(o, node, &name), r;

	if (fd < 0 || !*name)
		return fd < 0 ? fd : -ESTALE;
	r = upper_has_mark(&o->upper, fd, name, WHITEOUT_MARK_METACOPY);
	if (r != 0)
		return r < 0 ? r : -EPERM;
	opened = upper_open(fd, name, flags | O_NOCTTY | O_NONBLOCK);
	r = opened < 0 ? opened : overlay_check_fd(node, opened);
	return r < 0 ? r : TAKE_FD(opened);
}

/* --- opening --- */

/* What can only be read is opened so. An fd that others use meanwhile is replaced in one step. */
static int open_upper(struct overlay *o, struct node *node, bool writes) {
	_cleanup_close_ int fd = -EBADF;
	bool writable = true;

	if (node->fd >= 0 && (node->fd_is_writable || !writes))
		return 0;
	fd = overlay_open_upper(o, node, O_RDWR);
	if ((fd == -EROFS || fd == -EACCES || fd == -EPERM || fd == -ETXTBSY) && !writes) {
		writable = false;
		fd = overlay_open_upper(o, node, O_RDONLY);
	}
	if (fd < 0)
		return fd;
	if (node->fd < 0)
		return overlay_give_fd(o, node, TAKE_FD(fd), writable);
	if (dup3(fd, node->fd, O_CLOEXEC) < 0)
		return -errno;
	node->fd_is_writable = writable;
	return 0;
}

static int check_below(struct overlay *o, const struct node *node) {
	struct union_file f;
	int r = union_open(o->layers, node->lower, &f);

	if (r == 0)
		union_close(o->layers, &f);
	return r;
}

static void close_unused(struct overlay *o, struct node *node) {
	if (node->opens == 0)
		overlay_take_fd(o, node);
}

/* The kernel keeps the mode, so it is told. */
static int empty(struct overlay *o, struct node *node,
		 const struct overlay_caller *kills) {
	int r = kills ? overlay_kill_suid(node->fd, kills) : 0;

	if (r > 0)
		overlay_tell(o, node, false);
	if (r >= 0)
		r = ftruncate(node->fd, 0) < 0 ? -errno : 0;
	return r;
}

int overlay_open(struct overlay *o, uint64_t id, int flags,
		 const struct overlay_caller *kills) {
	bool empties = flags & O_TRUNC,
	     writes = (flags & O_ACCMODE) != O_RDONLY || empties;
	struct node *node;
	LOCKED(o);
	int r = overlay_node(o, id, &node);

	if (r < 0)
		return r;
	if (!S_ISREG(node->type))
		return -EISDIR;
	if (writes)
		r = overlay_copy_up(o, node, !empties);
	if (r == 0)
		r = node->is_upper ? open_upper(o, node, writes) : check_below(o, node);
	if (r == 0 && empties)
		r = empty(o, node, kills);
	if (r == 0)
		node->opens++;
	else
		close_unused(o, node);
	return r;
}

void overlay_close(struct overlay *o, uint64_t id) {
	struct node *node;
	LOCKED(o);

	if (overlay_node(o, id, &node) < 0 || node->opens == 0)
		return;
	node->opens--;
	close_unused(o, node);
	overlay_tidy(o, node);
}

int overlay_data(struct overlay *o, uint64_t id, struct overlay_data *ret) {
	struct node *node;
	LOCKED(o);
	int r = overlay_node(o, id, &node);

	if (r < 0)
		return r;
	*ret = (struct overlay_data){ .fd = node->fd };
	if (!node->is_upper) {
		r = union_open(o->layers, node->lower, &ret->lower);
		ret->fd = r == 0 ? ret->lower.fd : r;
	} else if (node->fd < 0) {
		ret->fd = overlay_open_upper(o, node, O_RDWR);
		ret->is_ours = true;
	}
	return ret->fd < 0 ? ret->fd : 0;
}

void overlay_data_end(struct overlay *o, struct overlay_data *d) {
	if (d->lower.node != 0)
		union_close(o->layers, &d->lower);
	else if (d->is_ours)
		close(d->fd);
}

/* --- listings --- */

struct listing {
	struct overlay *o;
	struct node *directory;
	int fd; /* of the upper directory, open for reading */
	bool has_whiteouts;
};

static int add(struct overlay *o, const char *name, uint64_t number, uint8_t type,
	       uint8_t flags) {
	const struct dirindex_entry e = { .inode = number, .type = type, .flags = flags };

	if (dirindex_built(&o->builder, name, strlen(name)))
		return 0;
	return dirindex_add(&o->builder, MERGER_ENTRIES_MAX, name, strlen(name), &e);
}

static int add_dots(struct overlay *o, struct node *directory) {
	const struct node *parent = directory->names ? directory->names->parent
						     : directory;
	int r = add(o, ".", directory->number, DT_DIR, 0);

	return r == 0 ? add(o, "..", parent->number, DT_DIR, 0) : r;
}

/* 1 for a whiteout, or what has no type in the listing; a device may be one, and so may a file in a directory so marked. */
static int look_at(const struct listing *l, const struct kernel_dirent *e, uint8_t *type) {
	struct stat st;

	*type = e->d_type;
	if (e->d_type != DT_CHR && e->d_type != DT_UNKNOWN &&
	    !(e->d_type == DT_REG && l->has_whiteouts))
		return 0;
	if (fstatat(l->fd, e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	*type = (uint8_t)IFTODT(st.st_mode);
	return upper_is_whiteout(&l->o->upper, l->fd, e->d_name, &st);
}

static int add_upper(struct listing *l, const struct kernel_dirent *e) {
	struct overlay *o = l->o;
	const struct node_name *known = nodes_find(&o->nodes, l->directory, e->d_name);
	uint64_t number = known ? known->node->number
				: nodes_kept_number(&o->nodes, e->d_ino);
	uint8_t type;
	int r = look_at(l, e, &type), hidden = r;

	if (r == -ENOENT)
		return 0;
	if (r >= 0 && number == 0)
		r = union_number(o->layers, o->upper.device, e->d_ino, &number);
	return r < 0 ? r
		     : add(o, e->d_name, number, type, hidden ? DIRINDEX_WHITEOUT : 0);
}

static int list_upper(struct listing *l) {
	_Alignas(struct kernel_dirent) char buffer[16384];
	int r = 0;

	while (r == 0) {
		ssize_t n = sys_getdents64(l->fd, buffer, sizeof(buffer));

		if (n <= 0)
			return n < 0 ? -errno : 0;
		for (ssize_t at = 0; r == 0 && at < n;) {
			const struct kernel_dirent *e = (const void *)(buffer + at);

			at += e->d_reclen;
			r = add_upper(l, e);
		}
	}
	return r;
}

struct below {
	struct overlay *o;
	int error;
};

static bool add_below(const struct union_listed *e, void *data) {
	struct below *b = data;

	b->error = add(b->o, e->name, e->st.st_ino, (uint8_t)IFTODT(e->st.st_mode), 0);
	return b->error == 0;
}

static int read_upper(struct overlay *o, struct node *directory) {
	struct listing l = { .o = o, .directory = directory };
	_cleanup_close_ int fd = -EBADF;
	int r = overlay_directory_fd(o, directory);

	if (r < 0)
		return r;
	l.fd = fd = upper_open(r, ".", O_RDONLY | O_DIRECTORY);
	if (fd < 0)
		return fd;
	r = upper_opaque(&o->upper, fd, ".");
	if (r < 0)
		return r;
	l.has_whiteouts = r == WHITEOUT_HAS_WHITEOUTS;
	return list_upper(&l);
}

/* Into the builder. Whiteouts are in it, marked, so that what they hide is not added. */
static int collect(struct overlay *o, struct node *directory) {
	struct below b = { .o = o };
	int r;

	if (directory->id != NODES_ROOT && !directory->names)
		return -ENOENT;
	dirindex_begin(&o->builder);
	r = add_dots(o, directory);
	if (r == 0 && directory->is_upper)
		r = read_upper(o, directory);
	if (r == 0 && directory->lower != 0)
		r = union_list(o->layers, directory->lower, 2, false, add_below, &b);
	return r == 0 ? b.error : r;
}

int overlay_list(struct overlay *o, uint64_t id, struct dirindex **ret) {
	struct node *directory;
	LOCKED(o);
	int r = overlay_directory(o, id, &directory);

	if (r == 0)
		r = collect(o, directory);
	return r == 0 ? dirindex_finish(&o->builder, ret) : r;
}

int overlay_check_empty(struct overlay *o, struct node *directory) {
	int r = collect(o, directory);

	for (uint32_t i = 2; r == 0 && i < o->builder.n; i++)
		if (!(o->builder.entries[i].flags & DIRINDEX_WHITEOUT))
			r = -ENOTEMPTY;
	return r;
}

/* --- the rest --- */

int overlay_sync_directory(struct overlay *o, uint64_t id) {
	_cleanup_close_ int fd = -EBADF;
	struct node *directory;
	int r;

	{
		LOCKED(o);

		r = overlay_directory(o, id, &directory);
		if (r < 0 || !directory->is_upper)
			return r;
		r = overlay_directory_fd(o, directory);
		if (r < 0)
			return r;
		fd = upper_open(r, ".", O_RDONLY | O_DIRECTORY);
	}
	if (fd < 0)
		return fd;
	return fsync(fd) < 0 ? -errno : 0;
}

int overlay_readlink(struct overlay *o, uint64_t id, char *target, size_t size) {
	const char *name;
	struct node *node;
	LOCKED(o);
	int r = overlay_node(o, id, &node), fd;

	if (r < 0)
		return r;
	if (!node->is_upper)
		return union_readlink(o->layers, node->lower, target, size);
	fd = overlay_reach(o, node, &name);
	return fd < 0 ? fd : layers_readlink(fd, name, target, size);
}

int overlay_statfs(struct overlay *o, struct statvfs *ret) {
	return fstatvfs(o->upper.fd, ret) < 0 ? -errno : 0;
}

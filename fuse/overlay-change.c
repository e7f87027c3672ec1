/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From the layers into the upper directory, and changes of what is there. */
#include <fcntl.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/xattr.h>

#include "copyup.h"
#include "overlay-state.h"

/* --- copying up --- */

void overlay_tell(struct overlay *o, const struct node *node, bool listing) {
	if (o->changed)
		o->changed(node->id, listing, o->data);
}

/* The entry of the upper directory that takes the place of what is below. */
static int publish(struct overlay *o, struct node *node, const char *made,
		   struct stat *ret) {
	const struct node_name *name = node->names;
	int fd = overlay_directory_fd(o, name->parent), r;
	struct stat before;

	if (fd < 0)
		return fd;
	if (fstat(fd, &before) < 0)
		return -errno;
	r = upper_publish(&o->upper, made, fd, name->text, false);
	if (r < 0)
		return r;
	/* Nothing has become of the directory that could be seen. */
	utimensat(fd, ".", (struct timespec[]){ before.st_atim, before.st_mtim }, 0);
	return fstatat(fd, name->text, ret, AT_SYMLINK_NOFOLLOW) < 0 ? -errno : 0;
}

/* overlay.6: as overlayfs, a file of several names below gets a number of its own. */
static int number_copy(struct overlay *o, struct node *node, const struct stat *below,
		       const struct stat *st) {
	int r = nodes_note_upper(&o->nodes, node, st->st_ino);

	if (r < 0)
		return r;
	if (S_ISDIR(node->type) || below->st_nlink <= 1)
		return nodes_keep_number(&o->nodes, st->st_ino, node->number);
	nodes_drop_number(&o->nodes, st->st_ino);
	return union_number(o->layers, st->st_dev, st->st_ino, &node->number);
}

/* From now on the node is what is in the upper directory; who reads it sees the same. */
static int move_up(struct overlay *o, struct node *node, const struct stat *below,
		   const struct stat *st) {
	int r = number_copy(o, node, below, st);

	if (r == 0 && node->opens > 0) {
		int fd = overlay_open_upper(o, node, O_RDWR);

		r = fd < 0 ? fd : overlay_give_fd(o, node, fd, true);
	}
	if (!S_ISDIR(node->type)) {
		union_forget(o->layers, node->lower, 1);
		node->lower = 0;
	}
	return r;
}

/* Others go on meanwhile, but for those who want the same. */
static int make_copy(struct overlay *o, struct node *node, const struct stat *below,
		     bool data, const char *made) {
	const uint64_t lower = node->lower;
	int r;

	if (!S_ISREG(node->type) || !data)
		return copyup_make(&o->upper, o->layers, lower, below, data, made);
	node->is_busy = true;
	node->opens++; /* it and its lower node stay */
	pthread_mutex_unlock(&o->lock);
	r = copyup_make(&o->upper, o->layers, lower, below, data, made);
	pthread_mutex_lock(&o->lock);
	node->opens--;
	node->is_busy = false;
	pthread_cond_broadcast(&o->copied);
	return r;
}

static int place_copy(struct overlay *o, struct node *node, const char *made,
		      const struct stat *below) {
	const uint64_t number = node->number;
	struct stat st;
	int r = publish(o, node, made, &st);

	if (r < 0)
		return r;
	r = move_up(o, node, below, &st);
	overlay_tell(o, node, false);
	overlay_tell(o, node->names->parent, node->number != number);
	return r;
}

/* A file that has lost its name and is still open is copied without one. */
static int place_nameless(struct overlay *o, struct node *node, const char *made) {
	int fd = upper_open(o->upper.work, made, O_RDWR | O_NOCTTY);
	int r = fd < 0 ? fd : overlay_give_fd(o, node, fd, true);

	if (r < 0)
		return r;
	node->is_upper = true;
	union_forget(o->layers, node->lower, 1);
	node->lower = 0;
	overlay_tell(o, node, false);
	return 0;
}

static int copy_one(struct overlay *o, struct node *node, bool data) {
	char made[UPPER_NAME_MAX];
	struct stat below;
	int r = union_stat(o->layers, node->lower, &below);

	if (r < 0)
		return r;
	upper_new_name(&o->upper, made);
	r = make_copy(o, node, &below, data, made);
	if (r < 0)
		return r;
	if (node->names) {
		r = place_copy(o, node, made, &below);
	} else {
		r = node->opens > 0 ? place_nameless(o, node, made) : -ESTALE;
		upper_discard(&o->upper, made);
	}
	if (r < 0)
		upper_discard(&o->upper, made);
	return r;
}

/* What is to be copied next, so that the node can be: the uppermost directory above it that is not there yet. */
static struct node *next_up(struct node *node) {
	while (node->names && !node->names->parent->is_upper)
		node = node->names->parent;
	return node;
}

int overlay_copy_up(struct overlay *o, struct node *node, bool data) {
	int r = 0;

	while (r == 0 && !node->is_upper) {
		struct node *next = next_up(node);

		if (next->is_busy)
			pthread_cond_wait(&o->copied, &o->lock);
		else if (!next->names && (next != node || !S_ISREG(node->type)))
			r = -ESTALE;
		else
			r = copy_one(o, next, next != node || data);
	}
	return r;
}

/* --- who does it --- */

void overlay_become(const struct overlay_caller *by) {
	umask(by->umask);
	/* The group first: without a user id of 0 it might not be allowed. */
	setfsgid(by->gid);
	setfsuid(by->uid);
}

void overlay_return(void) {
	setfsuid(0);
	setfsgid(0);
	umask(0);
}

/* --- attributes --- */

int overlay_kill_suid(int fd, const struct overlay_caller *by) {
	struct stat st;
	mode_t kept;

	if (fstat(fd, &st) < 0)
		return -errno;
	kept = st.st_mode & ~(mode_t)S_ISUID;
	if (st.st_mode & S_IXGRP || by->gid != st.st_gid)
		kept &= ~(mode_t)S_ISGID;
	if (kept == st.st_mode)
		return 0;
	return fchmod(fd, kept & 07777) < 0 ? -errno : 1;
}

static int change_size(struct overlay *o, struct node *node,
		       const struct overlay_change *c) {
	_cleanup_close_ int own = -EBADF;
	int fd = node->fd, r = 0;

	if (!S_ISREG(node->type))
		return -EINVAL;
	if (fd < 0 || !node->fd_is_writable)
		fd = own = overlay_open_upper(o, node, O_WRONLY);
	if (fd < 0)
		return fd;
	if (c->kills)
		r = overlay_kill_suid(fd, c->kills);
	if (r >= 0)
		r = ftruncate(fd, c->size) < 0 ? -errno : 0;
	return r;
}

static int change_times(int fd, const char *name, const struct timespec times[2]) {
	if (times[0].tv_nsec == UTIME_OMIT && times[1].tv_nsec == UTIME_OMIT)
		return 0;
	if (*name ? utimensat(fd, name, times, AT_SYMLINK_NOFOLLOW) < 0
		  : futimens(fd, times) < 0)
		return -errno;
	return 0;
}

/*
 * overlay.11: the kernel of this protocol does not say whether the caller may keep the bit. Whose main group is
 * another loses it.
 */
static int kill_sgid(int fd, const char *name, const struct overlay_caller *by) {
	struct stat st;

	if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH) < 0)
		return -errno;
	if (by->uid == 0 || by->gid == st.st_gid || !(st.st_mode & S_ISGID))
		return 0;
	if (*name ? fchmodat(fd, name, st.st_mode & 05777, 0)
		  : fchmod(fd, st.st_mode & 05777))
		return -errno;
	return 0;
}

/* What is open stays what it is, whatever becomes of its name (overlay.18). */
int overlay_hold(struct overlay *o, struct node *node, const char **ret_name,
		 int *ret_own) {
	int fd = overlay_reach(o, node, ret_name), r;

	if (fd < 0 || !**ret_name || !(S_ISREG(node->type) || S_ISDIR(node->type)))
		return fd;
	*ret_own = upper_open(fd, *ret_name, O_RDONLY | O_NOCTTY | O_NONBLOCK);
	r = *ret_own < 0 ? *ret_own : overlay_check_fd(node, *ret_own);
	*ret_name = "";
	return r < 0 ? r : *ret_own;
}

static int change_rest(struct overlay *o, struct node *node,
		       const struct overlay_change *c) {
	const bool changes_owner = c->uid != (uid_t)-1 || c->gid != (gid_t)-1;
	_cleanup_close_ int own = -EBADF;
	const char *name;
	int fd = overlay_hold(o, node, &name, &own), r = 0;

	if (fd < 0)
		return fd;
	if (changes_owner && c->kills && !S_ISDIR(node->type))
		r = kill_sgid(fd, name, c->kills);
	if (r < 0)
		return r;
	if (changes_owner &&
	    fchownat(fd, name, c->uid, c->gid,
		     AT_SYMLINK_NOFOLLOW | (*name ? 0 : AT_EMPTY_PATH)) < 0)
		return -errno;
	if (c->set_mode && S_ISLNK(node->type))
		return -EOPNOTSUPP;
	if (c->set_mode && (*name ? fchmodat(fd, name, c->mode & 07777, 0)
				  : fchmod(fd, c->mode & 07777)) < 0)
		return -errno;
	return change_times(fd, name, c->times);
}

int overlay_change(struct overlay *o, uint64_t id, const struct overlay_change *c,
		   struct stat *ret) {
	struct node *node;
	LOCKED(o);
	int r = overlay_node(o, id, &node);

	if (r == 0)
		r = overlay_copy_up(o, node, !(c->set_size && c->size == 0));
	if (r == 0 && c->set_size)
		r = change_size(o, node, c);
	if (r == 0)
		r = change_rest(o, node, c);
	return r < 0 ? r : overlay_stat_node(o, node, ret);
}

/* --- extended attributes --- */

ssize_t overlay_getxattr(struct overlay *o, uint64_t id, const char *name, void *value,
			 size_t size) {
	char buffer[WHITEOUT_NAME_MAX];
	const char *entry, *inside = whiteout_to_layer(o->upper.space, name, buffer);
	struct node *node;
	ssize_t n;
	LOCKED(o);
	int r = overlay_node(o, id, &node), fd;

	if (r < 0 || !inside)
		return r < 0 ? r : -ERANGE;
	if (!node->is_upper)
		return union_getxattr(o->layers, node->lower, name, value, size);
	fd = overlay_reach(o, node, &entry);
	if (fd < 0)
		return fd;
	if (*entry)
		n = fchdir(fd) < 0 ? -1 : lgetxattr(entry, inside, value, size);
	else
		n = fgetxattr(fd, inside, value, size);
	return n < 0 ? -errno : n;
}

ssize_t overlay_listxattr(struct overlay *o, uint64_t id, char *list, size_t size) {
	const char *entry;
	struct node *node;
	ssize_t n;
	LOCKED(o);
	int r = overlay_node(o, id, &node), fd;

	if (r < 0)
		return r;
	if (!node->is_upper)
		return union_listxattr(o->layers, node->lower, list, size);
	fd = overlay_reach(o, node, &entry);
	if (fd < 0)
		return fd;
	if (*entry)
		n = fchdir(fd) < 0 ? -1 : llistxattr(entry, list, size);
	else
		n = flistxattr(fd, list, size);
	return n < 0 ? -errno
		     : (ssize_t)whiteout_filter_list(o->upper.space, list, (size_t)n);
}

static int set_xattr(int fd, const char *entry, const char *name, const void *value,
		     size_t size, int flags) {
	int r;

	if (*entry)
		return value ? upper_set_xattr(fd, entry, name, value, size, flags)
			     : upper_remove_xattr(fd, entry, name);
	r = value ? fsetxattr(fd, name, value, size, flags) : fremovexattr(fd, name);
	return r < 0 ? -errno : 0;
}

int overlay_setxattr(struct overlay *o, uint64_t id, const char *name, const void *value,
		     size_t size, int flags, const struct overlay_caller *by) {
	char buffer[WHITEOUT_NAME_MAX];
	const char *entry, *inside = whiteout_to_layer(o->upper.space, name, buffer);
	_cleanup_close_ int own = -EBADF;
	struct node *node;
	LOCKED(o);
	int r = inside ? overlay_node(o, id, &node) : -ERANGE, fd;

	if (r == 0 && !value && !node->is_upper) {
		/* What is not there is no reason to copy anything. */
		ssize_t n = union_getxattr(o->layers, node->lower, name, NULL, 0);

		r = n < 0 ? (int)n : 0;
	}
	if (r == 0)
		r = overlay_copy_up(o, node, true);
	if (r < 0)
		return r;
	fd = overlay_hold(o, node, &entry, &own);
	if (fd < 0)
		return fd;
	r = set_xattr(fd, entry, inside, value, size, flags);
	if (r == 0 && strcmp(name, "system.posix_acl_access") == 0)
		r = kill_sgid(fd, entry, by);
	return r;
}

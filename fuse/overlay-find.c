/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From names to nodes: what there is above and below, and the end of nodes that nobody needs. */
#include <fcntl.h>
#include <string.h>

#include "overlay-state.h"

/* What there is of a name: above, below, or both. */
struct found {
	bool is_upper;
	uint64_t lower; /* or 0 */
	struct stat st; /* of the upper where there is one */
};

static int look_above(struct overlay *o, int fd, const char *name, struct found *f) {
	int r;

	if (fstatat(fd, name, &f->st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -errno;
	r = upper_is_whiteout(&o->upper, fd, name, &f->st);
	if (r != 0)
		return r < 0 ? r : -ENOENT;
	f->is_upper = true;
	return 0;
}

/* 1 if what the layers have does not count: hidden, or not of the same kind; 0; -EPERM for a redirect (union.8). */
static int is_hidden(struct overlay *o, int fd, const char *name, const struct found *f) {
	int r;

	if (!f->is_upper)
		return 0;
	if (!S_ISDIR(f->st.st_mode))
		return 1;
	r = upper_opaque(&o->upper, fd, name);
	if (r < 0 || r == WHITEOUT_HIDES)
		return r < 0 ? r : 1;
	r = upper_has_mark(&o->upper, fd, name, WHITEOUT_MARK_REDIRECT);
	return r > 0 ? -EPERM : r;
}

static int look_below(struct overlay *o, const struct node *directory, const char *name,
		      struct found *f) {
	struct stat st;
	int r = union_lookup(o->layers, directory->lower, name, &f->lower, &st);

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	if (f->is_upper && !S_ISDIR(st.st_mode)) {
		union_forget(o->layers, f->lower, 1);
		f->lower = 0;
	}
	if (S_ISDIR(st.st_mode) &&
	    (st.st_ino == o->own[0] || st.st_ino == o->own[1])) { /* union.7 */
		union_forget(o->layers, f->lower, 1);
		f->lower = 0;
		return -ELOOP;
	}
	if (!f->is_upper)
		f->st = st;
	return 0;
}

static int look(struct overlay *o, struct node *directory, const char *name,
		struct found *f) {
	int r = 0, fd = -EBADF;

	if (directory->id != NODES_ROOT && !directory->names)
		return -ENOENT;
	if (directory->is_upper) {
		fd = overlay_directory_fd(o, directory);
		r = fd < 0 ? fd : look_above(o, fd, name, f);
	}
	if (r == 0 && directory->lower != 0) {
		r = is_hidden(o, fd, name, f);
		if (r == 0)
			r = look_below(o, directory, name, f);
	}
	if (r < 0)
		return r;
	return f->is_upper || f->lower != 0 ? 0 : -ENOENT;
}

/* union.11, overlay.6 */
static int number_of(struct overlay *o, const struct stat *st, uint64_t *ret) {
	*ret = nodes_kept_number(&o->nodes, st->st_ino);
	return *ret != 0 ? 0 : union_number(o->layers, st->st_dev, st->st_ino, ret);
}

static int fill_node(struct overlay *o, struct node *node, const struct found *f) {
	int r;

	node->type = f->st.st_mode & S_IFMT;
	node->lower = f->lower;
	node->number = f->st.st_ino;
	if (!f->is_upper)
		return 0;
	r = number_of(o, &f->st, &node->number);
	return r < 0 ? r : nodes_note_upper(&o->nodes, node, f->st.st_ino);
}

/* Another name of a file that is known already, or NULL. */
static struct node *find_link(struct overlay *o, const struct found *f) {
	struct node *node = NULL;

	if (f->is_upper && !S_ISDIR(f->st.st_mode) && f->st.st_nlink > 1)
		node = nodes_of_inode(&o->nodes, f->st.st_ino);
	return node && node->type == (f->st.st_mode & S_IFMT) ? node : NULL;
}

static int name_node(struct overlay *o, struct node *directory, const char *name,
		     const struct found *f, struct node **ret) {
	struct node *node = find_link(o, f), *made = NULL;
	int r = 0;

	if (!node) {
		node = made = nodes_add(&o->nodes);
		r = node ? fill_node(o, node, f) : -ENOMEM;
	}
	if (r == 0 && name)
		r = nodes_name(&o->nodes, directory, name, node);
	if (r < 0 && made)
		nodes_free(&o->nodes, made);
	if (r == 0)
		*ret = node;
	return r;
}

/* overlay.17: kernels send no others, and nothing here relies on it. */
static bool is_name(const char *name) {
	return *name && !strchr(name, '/') && strcmp(name, ".") != 0 &&
	       strcmp(name, "..") != 0;
}

/* Somebody else has put something into its place. */
static void forget_name(struct overlay *o, struct node_name *name) {
	struct node *node = name->node;

	nodes_unname(&o->nodes, name);
	overlay_tidy(o, node);
}

int overlay_find(struct overlay *o, struct node *directory, const char *name,
		 struct node **ret, struct stat *ret_stat) {
	struct node_name *there = nodes_find(&o->nodes, directory, name);
	struct found f = { .is_upper = false };
	int r;

	if (!is_name(name))
		return -EINVAL;
	if (there) {
		r = overlay_stat_node(o, there->node, ret_stat);
		if (r == 0)
			*ret = there->node;
		if (r != -ESTALE)
			return r;
		forget_name(o, there);
	}
	r = look(o, directory, name, &f);
	if (r < 0)
		return r;
	r = name_node(o, directory, name, &f, ret);
	if (r < 0) {
		if (f.lower != 0)
			union_forget(o->layers, f.lower, 1);
		return r;
	}
	*ret_stat = f.st;
	overlay_adjust(*ret, ret_stat);
	return 0;
}

int overlay_enter(struct overlay *o, struct node *directory, const char *name,
		  const struct stat *st, struct node **ret) {
	const struct found f = { .is_upper = true, .st = *st };

	if (st->st_nlink <= 1 || S_ISDIR(st->st_mode))
		nodes_drop_number(&o->nodes, st->st_ino);
	return name_node(o, directory, name, &f, ret);
}

int overlay_has_below(struct overlay *o, const struct node *directory, const char *name) {
	struct stat st;
	uint64_t node;
	int r;

	if (directory->lower == 0)
		return 0;
	r = union_lookup(o->layers, directory->lower, name, &node, &st);
	if (r == 0)
		union_forget(o->layers, node, 1);
	if (r == 0 || r == -EPERM) /* -EPERM: it is there, and not given out */
		return 1;
	return r == -ENOENT ? 0 : r;
}

int overlay_has_whiteout(const struct overlay *o, int fd, const char *name) {
	struct stat st;

	if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -errno;
	return upper_is_whiteout(&o->upper, fd, name, &st);
}

/* --- their end --- */

void overlay_tidy(struct overlay *o, struct node *node) {
	while (node && node_is_unused(node)) {
		struct node *parent = NULL;

		/* Only files have several names, so this goes no deeper than one. */
		while (node->names) {
			if (parent)
				overlay_tidy(o, parent);
			parent = node->names->parent;
			nodes_unname(&o->nodes, node->names);
		}
		overlay_leave(node, o);
		nodes_free(&o->nodes, node);
		node = parent;
	}
}

/* What the kernel still asks of a node without a name, when it is not open either, is what it was. */
static void lose_node(struct overlay *o, struct node *node, const struct stat *st) {
	const bool is_directory = S_ISDIR(node->type);

	free(node->last);
	node->last = malloc(sizeof(*node->last));
	if (node->last) {
		*node->last = *st;
		node->last->st_nlink = is_directory || st->st_nlink == 0
					       ? 0
					       : st->st_nlink - 1;
	}
	if (is_directory || st->st_nlink <= 1)
		nodes_forget_inode(&o->nodes, node);
	fdcache_drop(&o->fds, (uint32_t)node->id);
}

void overlay_lose(struct overlay *o, struct node_name *name, const struct stat *st) {
	struct node *node = name->node, *parent = name->parent;

	parent->lookups++; /* it must outlive the node */
	nodes_unname(&o->nodes, name);
	if (!node->names)
		lose_node(o, node, st);
	overlay_tidy(o, node);
	parent->lookups--;
	overlay_tidy(o, parent);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Entries go, or change their place. */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "overlay-state.h"

/* overlay.9: an upper directory that is to go is emptied of its whiteouts. It hides what is below meanwhile. */
static int clear_directory(struct overlay *o, struct node *node, int fd,
			   const char *name) {
	int r = node->lower != 0 ? upper_set_opaque(&o->upper, fd, name) : 0;

	return r < 0 ? r : upper_clear(&o->upper, fd, name);
}

static int remove_entry(struct overlay *o, struct node *parent, const char *name,
			struct node *node) {
	bool is_directory = S_ISDIR(node->type);
	int below = overlay_has_below(o, parent, name), r = 0, fd;

	if (below > 0)
		r = overlay_copy_up(o, parent, true);
	if (below < 0 || r < 0)
		return below < 0 ? below : r;
	fd = overlay_directory_fd(o, parent);
	if (fd < 0)
		return fd;
	if (is_directory && node->is_upper)
		r = clear_directory(o, node, fd, name);
	if (r < 0)
		return r;
	if (below)
		return upper_whiteout(&o->upper, fd, name, node->is_upper, is_directory);
	return unlinkat(fd, name, is_directory ? AT_REMOVEDIR : 0) < 0 ? -errno : 0;
}

static int check_removal(struct overlay *o, struct node *node, bool directory) {
	if (directory)
		return S_ISDIR(node->type) ? overlay_check_empty(o, node) : -ENOTDIR;
	return S_ISDIR(node->type) ? -EISDIR : 0;
}

int overlay_remove(struct overlay *o, uint64_t id, const char *name, bool directory) {
	struct node *parent, *node;
	struct stat st;
	LOCKED(o);
	int r = overlay_directory(o, id, &parent);

	if (r == 0)
		r = overlay_find(o, parent, name, &node, &st);
	if (r < 0)
		return r;
	r = check_removal(o, node, directory);
	if (r == 0)
		r = remove_entry(o, parent, name, node);
	if (r == 0)
		overlay_lose(o, nodes_find(&o->nodes, parent, name), &st);
	else
		overlay_tidy(o, node);
	return r;
}

/* --- renaming --- */

/* One end of it. */
struct end {
	struct node *directory, *node; /* `node` may be NULL at the new end */
	const char *name;
	struct stat st;
	int below; /* whether the layers have the name */
	int fd;	   /* of the upper directory; owned, as both ends need theirs */
};

static bool is_directory(const struct end *e) {
	return e->node && S_ISDIR(e->node->type);
}

static int find_end(struct overlay *o, uint64_t id, const char *name, struct end *e) {
	int r = overlay_directory(o, id, &e->directory);

	e->name = name;
	if (r == 0)
		r = overlay_find(o, e->directory, name, &e->node, &e->st);
	if (r == 0 || r == -ENOENT)
		e->below = overlay_has_below(o, e->directory, name);
	return r < 0 ? r : e->below < 0 ? e->below : 0;
}

/* overlay.8: what is below cannot move. */
static int check_movable(const struct end *e) {
	return is_directory(e) && (!e->node->is_upper || e->node->lower != 0) ? -EXDEV
									      : 0;
}

static int check_kinds(struct overlay *o, const struct end *from, const struct end *to) {
	if (!to->node)
		return 0;
	if (!is_directory(to))
		return is_directory(from) ? -ENOTDIR : 0;
	return is_directory(from) ? overlay_check_empty(o, to->node) : -EISDIR;
}

static int check(struct overlay *o, const struct end *from, const struct end *to,
		 unsigned flags) {
	int r = check_movable(from);

	if (r < 0)
		return r;
	if (flags & RENAME_NOREPLACE)
		return to->node ? -EEXIST : 0;
	if (flags & RENAME_EXCHANGE)
		return to->node ? check_movable(to) : -ENOENT;
	return check_kinds(o, from, to);
}

static int open_end(struct overlay *o, struct end *e, bool with_node) {
	int r = overlay_copy_up(o, e->directory, true), fd;

	if (r == 0 && with_node)
		r = overlay_copy_up(o, e->node, true);
	if (r < 0)
		return r;
	fd = overlay_directory_fd(o, e->directory);
	if (fd < 0)
		return fd;
	e->fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	return e->fd < 0 ? -errno : 0;
}

/* A directory that comes into one that is merged must not be merged with what is there by its new name. */
static int make_opaque(struct overlay *o, const struct end *moved, const struct end *to) {
	if (!is_directory(moved) || to->directory->lower == 0)
		return 0;
	return upper_set_opaque(&o->upper, moved->fd, moved->name);
}

/* What must be left behind, and what is there instead of what is seen: in one call. */
static int rename_upper(struct overlay *o, const struct end *from, const struct end *to) {
	int hidden = overlay_has_whiteout(o, to->fd, to->name);
	unsigned flags = 0;
	int r;

	if (hidden < 0)
		return hidden;
	if (hidden && (from->below || is_directory(from)))
		flags = RENAME_EXCHANGE;
	else if (from->below)
		flags = RENAME_WHITEOUT;
	r = upper_rename(from->fd, from->name, to->fd, to->name, flags);
	if (r < 0)
		return r;
	/* A whiteout of nothing, which came by the exchange. */
	if (flags == RENAME_EXCHANGE && !from->below)
		unlinkat(from->fd, from->name, 0);
	return 0;
}

static int replace(struct overlay *o, struct end *from, struct end *to) {
	int r = 0;

	if (is_directory(to) && to->node->is_upper)
		r = clear_directory(o, to->node, to->fd, to->name);
	if (r == 0)
		r = rename_upper(o, from, to);
	return r;
}

static int exchange(struct overlay *o, struct end *from, struct end *to) {
	int r = make_opaque(o, to, from);

	return r < 0 ? r
		     : upper_rename(from->fd, from->name, to->fd, to->name,
				    RENAME_EXCHANGE);
}

/* What the names stand for now. Without memory a node has none: the kernel is told that it is stale, and asks again. */
static void note_replaced(struct overlay *o, struct end *from, struct end *to) {
	from->node->lookups++;
	to->directory->lookups++;
	nodes_unname(&o->nodes, nodes_find(&o->nodes, from->directory, from->name));
	if (to->node)
		overlay_lose(o, nodes_find(&o->nodes, to->directory, to->name), &to->st);
	nodes_name(&o->nodes, to->directory, to->name, from->node);
	from->node->lookups--;
	to->directory->lookups--;
	overlay_tidy(o, from->directory);
}

static void note_exchanged(struct overlay *o, struct end *from, struct end *to) {
	nodes_unname(&o->nodes, nodes_find(&o->nodes, from->directory, from->name));
	nodes_unname(&o->nodes, nodes_find(&o->nodes, to->directory, to->name));
	nodes_name(&o->nodes, to->directory, to->name, from->node);
	nodes_name(&o->nodes, from->directory, from->name, to->node);
}

/* The number of ".." is in a directory's listing. */
static void tell_moved(struct overlay *o, const struct end *from, const struct end *to) {
	if (from->directory == to->directory)
		return;
	if (is_directory(from))
		overlay_tell(o, from->node, true);
	if (is_directory(to))
		overlay_tell(o, to->node, true);
}

static int move(struct overlay *o, struct end *from, struct end *to, unsigned flags) {
	bool exchanges = flags & RENAME_EXCHANGE;
	int r = check(o, from, to, flags);

	if (r == 0)
		r = open_end(o, from, true);
	if (r == 0)
		r = open_end(o, to, exchanges);
	if (r == 0)
		r = make_opaque(o, from, to);
	if (r == 0)
		r = exchanges ? exchange(o, from, to) : replace(o, from, to);
	if (r < 0)
		return r;
	tell_moved(o, from, to);
	if (exchanges)
		note_exchanged(o, from, to);
	else
		note_replaced(o, from, to);
	return 0;
}

static void tidy_ends(struct overlay *o, const struct end *from, const struct end *to) {
	if (from->node)
		overlay_tidy(o, from->node);
	if (to->node && to->node != from->node)
		overlay_tidy(o, to->node);
}

int overlay_rename(struct overlay *o, uint64_t from_id, const char *name, uint64_t to_id,
		   const char *new_name, unsigned flags) {
	struct end from = { .fd = -EBADF }, to = { .fd = -EBADF };
	int r;
	LOCKED(o);

	if (flags != 0 && flags != RENAME_NOREPLACE && flags != RENAME_EXCHANGE)
		return -EINVAL;
	r = find_end(o, from_id, name, &from);
	if (r == 0)
		r = find_end(o, to_id, new_name, &to);
	if (r == -ENOENT && from.node && !to.node && to.below >= 0)
		r = 0;
	if (r == 0 && from.node != to.node)
		r = move(o, &from, &to, flags);
	close_fdp(&from.fd);
	close_fdp(&to.fd);
	if (r < 0)
		tidy_ends(o, &from, &to);
	return r;
}

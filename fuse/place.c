/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Attributes, and the marks that overlayfs looks at when a name is looked up. */
#include "place.h"

#include <dirent.h>
#include <fcntl.h>

uint64_t place_node(const struct directory *parent, uint32_t entry) {
	return (uint64_t)(parent->number + 1) << 32 | entry;
}

int place_find(struct places *at, uint64_t node, struct place *ret) {
	struct directory *parent;

	if (node == PLACE_ROOT) {
		*ret = (struct place){ .parent = NULL };
		return 0;
	}
	parent = directories_get(at->directories, (uint32_t)(node >> 32) - 1);
	if (!parent || !parent->index || (uint32_t)node >= parent->index->n)
		return -ESTALE;
	*ret = (struct place){ parent, &parent->index->entries[(uint32_t)node] };
	return 0;
}

int place_reach(struct places *at, const struct place *p, const char **ret_name) {
	if (!p->entry) {
		*ret_name = ".";
		return at->layers->list[0].fd;
	}
	*ret_name = dirindex_name(p->parent->index, p->entry);
	return directories_fd(at->directories, p->parent, p->entry->layer);
}

/* As the layer has it; -ESTALE if that has changed since it was listed. */
static int look_in_layer(struct places *at, const struct place *p, struct stat *ret) {
	const char *name;
	int fd = place_reach(at, p, &name);

	if (fd < 0)
		return fd;
	if (fstatat(fd, name, ret, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	return p->entry && IFTODT(ret->st_mode) != p->entry->type ? -ESTALE : 0;
}

/* union.20: a directory that is no longer in its uppermost layer is that of the others. Whether there are any. */
static bool leave_layer(const struct place *p) {
	const struct dirindex_more *next;

	if (!p->entry || p->entry->more == DIRINDEX_NONE)
		return false;
	next = &p->parent->index->more[p->entry->more];
	p->entry->layer = next->layer;
	p->entry->more = next->next;
	return true;
}

static int look(struct places *at, const struct place *p, struct stat *ret) {
	int r = look_in_layer(at, p, ret);

	while (layers_is_gone(r) && leave_layer(p))
		r = look_in_layer(at, p, ret);
	return r == -ESTALE ? -EIO : r;
}

/* As the union has it. */
static int translate(struct places *at, const struct place *p, struct stat *st) {
	bool merged = p->entry ? p->entry->more != DIRINDEX_NONE : at->layers->n > 1;
	uint64_t number;
	int r = inode_number(&at->layers->devices, st->st_dev, st->st_ino, &number);

	if (r < 0)
		return r;
	st->st_ino = number;
	if (merged)
		st->st_nlink = 1; /* union.12 */
	if (p->entry)
		p->entry->inode = number;
	return 0;
}

int place_stat(struct places *at, const struct place *p, struct stat *ret) {
	struct stat st;
	int r = look(at, p, &st);

	if (r == 0)
		r = translate(at, p, &st);
	if (r == 0)
		*ret = st;
	return r;
}

/* 1 if the directory says that its contents are elsewhere, and not that it hides what is below; 0; negative errno. */
static int is_redirected(struct places *at, const struct directory *dir, uint16_t layer,
			 const char *name) {
	const struct layer *l = &at->layers->list[layer];
	int fd = directories_fd(at->directories, dir, layer), r;

	if (fd < 0)
		return layers_is_gone(fd) ? 0 : fd;
	r = layers_has_mark(at->layers, l, fd, name, WHITEOUT_MARK_REDIRECT);
	if (r <= 0)
		return layers_is_gone(r) ? 0 : r;
	r = layers_opaque(at->layers, l, fd, name);
	return r < 0 ? r : r != WHITEOUT_HIDES;
}

/* union.8: the lowest layer has nothing to be redirected to. */
static int find_redirect(struct places *at, const struct place *p) {
	const struct directory *dir = p->parent;
	const char *name = dirindex_name(dir->index, p->entry);
	uint16_t last = dir->layers[dir->n_layers - 1], layer = p->entry->layer;
	uint32_t more = p->entry->more;
	int r = 0;

	while (r == 0 && layer != last) {
		r = is_redirected(at, dir, layer, name);
		if (more == DIRINDEX_NONE)
			break;
		layer = dir->index->more[more].layer;
		more = dir->index->more[more].next;
	}
	return r;
}

/* Looks at what a listing does not tell, once: marks. */
static int check(struct places *at, const struct place *p, const struct stat *st) {
	struct dirindex_entry *e = p->entry;
	const struct layer *layer = &at->layers->list[e->layer];
	const char *name;
	int r = 0, fd;

	if (S_ISDIR(st->st_mode)) {
		r = find_redirect(at, p);
		if (r > 0)
			e->flags |= DIRINDEX_REFUSED;
	} else if (S_ISREG(st->st_mode) && st->st_size == 0) {
		fd = place_reach(at, p, &name);
		r = fd < 0 ? fd
			   : layers_has_mark(at->layers, layer, fd, name,
					     WHITEOUT_MARK_WHITEOUT);
		if (r > 0)
			e->flags |= DIRINDEX_WHITEOUT;
	}
	if (r >= 0)
		e->flags |= DIRINDEX_CHECKED;
	return r < 0 ? r : 0;
}

int place_examine(struct places *at, const struct place *p, struct stat *ret) {
	struct stat st;
	int r = look(at, p, &st);

	if (r == 0 && S_ISDIR(st.st_mode) && layers_is_root(at->layers, &st))
		return -ELOOP;
	if (r == 0 && !(p->entry->flags & DIRINDEX_CHECKED))
		r = check(at, p, &st);
	if (r == 0)
		r = translate(at, p, &st);
	if (r < 0)
		return r;
	*ret = st;
	if (p->entry->flags & DIRINDEX_WHITEOUT)
		return -ENOENT;
	return p->entry->flags & DIRINDEX_REFUSED ? -EPERM : 0;
}

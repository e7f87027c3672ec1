/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A table of directories by number, with a clock hand that finds those nobody uses. */
#include "directories.h"

#include <fcntl.h>
#include <string.h>

static uint64_t fd_key(const struct directory *dir, uint16_t layer) {
	return (uint64_t)(dir->number + 1) << 32 | layer;
}

static struct directory *new_directory(unsigned n_layers) {
	struct directory *dir = calloc(1, sizeof(*dir) + n_layers * sizeof(uint16_t));

	if (dir)
		dir->n_layers = n_layers;
	return dir;
}

static void free_directory(struct directory *dir) {
	if (!dir)
		return;
	dirindex_free(dir->index);
	free(dir);
}

/* Gives the directory a number. */
static int insert(struct directories *d, struct directory *dir) {
	for (; d->free < d->n && d->list[d->free]; d->free++)
		;
	if (d->free == d->room) {
		uint32_t room = d->room ? 2 * d->room : 64;
		struct directory **list = reallocarray(d->list, room, sizeof(*list));

		if (!list || room > DIRECTORIES_MAX)
			return -ENOMEM;
		d->list = list;
		d->room = room;
	}
	dir->number = d->free++;
	if (dir->number == d->n)
		d->n++;
	d->list[dir->number] = dir;
	return 0;
}

int directories_init(struct directories *d, const struct layers *layers) {
	struct directory *root = new_directory(layers->n);
	int r;

	*d = (struct directories){ .layers = layers };
	fdcache_init(&d->fds);
	fdcache_init(&d->files);
	if (!root)
		return -ENOMEM;
	for (unsigned i = 0; i < layers->n; i++)
		root->layers[i] = (uint16_t)i;
	r = insert(d, root);
	if (r < 0)
		free_directory(root);
	return r;
}

void directories_done(struct directories *d) {
	for (uint32_t i = 0; i < d->n; i++)
		free_directory(d->list[i]);
	free(d->list);
	fdcache_done(&d->fds);
	fdcache_done(&d->files);
}

static unsigned count_layers(const struct dirindex *x, const struct dirindex_entry *e) {
	unsigned n = 1;

	for (uint32_t i = e->more; i != DIRINDEX_NONE; i = x->more[i].next)
		n++;
	return n;
}

static bool is_used(const struct dirindex_entry *e) {
	return e->users > 0 || e->directory != 0;
}

int directories_enter(struct directories *d, struct directory *parent, uint32_t entry,
		      struct directory **ret) {
	struct dirindex *x = parent->index;
	struct dirindex_entry *e = &x->entries[entry];
	struct directory *dir;
	unsigned n = 0;

	if (e->directory != 0) {
		*ret = d->list[e->directory];
		return 0;
	}
	dir = new_directory(count_layers(x, e));
	if (!dir)
		return -ENOMEM;
	dir->parent = parent->number;
	dir->entry = entry;
	dir->layers[n++] = e->layer;
	for (uint32_t i = e->more; i != DIRINDEX_NONE; i = x->more[i].next)
		dir->layers[n++] = x->more[i].layer;
	if (insert(d, dir) < 0) {
		free_directory(dir);
		return -ENOMEM;
	}
	parent->users += !is_used(e);
	e->directory = dir->number;
	*ret = dir;
	return 0;
}

/* --- fds --- */

static const struct dirindex_entry *entry_of(const struct directories *d,
					     const struct directory *dir) {
	return &d->list[dir->parent]->index->entries[dir->entry];
}

/* The fd where it is open already, or -ENOENT. */
static int open_already(struct directories *d, const struct directory *dir,
			uint16_t layer) {
	return dir->number == 0 ? d->layers->list[layer].fd
				: fdcache_find(&d->fds, fd_key(dir, layer));
}

/* Writes the path from `above` to `dir`, of `length` bytes. */
static void write_path(struct directories *d, const struct directory *above,
		       const struct directory *dir, size_t length) {
	char *end = d->path + length;

	*end = '\0';
	for (; dir != above; dir = d->list[dir->parent]) {
		const struct dirindex_entry *e = entry_of(d, dir);

		end -= e->length;
		memcpy(end, dirindex_name(d->list[dir->parent]->index, e), e->length);
		if (end > d->path)
			*--end = '/';
	}
}

/* Opens a directory that is not open. The fd is the caller's. */
static int open_below(struct directories *d, const struct directory *dir, uint16_t layer,
		      int flags) {
	const struct directory *above = dir;
	int base = -ENOENT;
	size_t length = 0;

	while (base < 0) {
		size_t more = entry_of(d, above)->length + (length > 0);

		if (length + more >= sizeof(d->path))
			break;
		length += more;
		above = d->list[above->parent];
		base = open_already(d, above, layer);
	}
	/* A path that is too long for one call: each such step is as long as a path may be. */
	if (base < 0)
		base = directories_fd(d, above, layer);
	if (base < 0)
		return base;
	write_path(d, above, dir, length);
	return layers_open(base, d->path, flags | O_DIRECTORY);
}

int directories_fd(struct directories *d, const struct directory *dir, uint16_t layer) {
	int fd = open_already(d, dir, layer);

	if (fd >= 0)
		return fd;
	fd = open_below(d, dir, layer, O_PATH);
	if (fd >= 0)
		fdcache_add(&d->fds, fd_key(dir, layer), fd);
	return fd;
}

int directories_begin_listing(struct directories *d, const struct directory *dir,
			      uint16_t layer, struct directories_listing *ret) {
	int open = open_already(d, dir, layer);
	int fd = open >= 0 ? layers_open(open, ".", O_RDONLY | O_DIRECTORY)
			   : open_below(d, dir, layer, O_RDONLY);

	if (fd < 0)
		return fd;
	*ret = (struct directories_listing){ fd_key(dir, layer), fd, open >= 0 };
	/* What is looked at in it next, is reached from there. */
	if (!ret->is_ours) {
		fdcache_add(&d->fds, ret->key, fd);
		fdcache_pin(&d->fds, ret->key);
	}
	return 0;
}

void directories_end_listing(struct directories *d, struct directories_listing *l) {
	if (l->is_ours)
		close(l->fd);
	else
		fdcache_unpin(&d->fds, l->key);
}

/* --- memory --- */

static void remove_directory(struct directories *d, struct directory *dir) {
	struct directory *parent = d->list[dir->parent];
	struct dirindex_entry *e = &parent->index->entries[dir->entry];

	e->directory = 0;
	parent->users -= !is_used(e);
	fdcache_drop(&d->fds, dir->number + 1);
	fdcache_drop(&d->files, dir->number + 1);
	if (dir->index)
		d->memory -= dir->index->size;
	d->list[dir->number] = NULL;
	if (dir->number < d->free)
		d->free = dir->number;
	free_directory(dir);
}

/* Goes round once at most. */
static void make_room(struct directories *d, const struct directory *keep) {
	for (uint32_t i = 0; i < d->n && d->memory > DIRECTORIES_MEMORY_EASY; i++) {
		struct directory *dir;

		d->hand = d->hand + 1 < d->n ? d->hand + 1 : 1;
		dir = directories_get(d, d->hand);
		if (dir && dir != keep && dir->users == 0 && dir->number != 0)
			remove_directory(d, dir);
	}
}

int directories_set_index(struct directories *d, struct directory *dir,
			  struct dirindex **index) {
	d->memory += (*index)->size;
	make_room(d, dir);
	if (d->memory > DIRECTORIES_MEMORY_MAX) {
		d->memory -= (*index)->size;
		return -ENOMEM;
	}
	dir->index = TAKE_PTR(*index);
	return 0;
}

void directories_use(struct directory *dir, struct dirindex_entry *e, uint32_t n) {
	dir->users += !is_used(e);
	/* A count that has reached its end stays there: the entry is then never let go of. */
	e->users = e->users > UINT32_MAX - n ? UINT32_MAX : e->users + n;
}

void directories_forget(struct directory *dir, struct dirindex_entry *e, uint64_t n) {
	if (e->users == 0 || e->users == UINT32_MAX)
		return;
	e->users = n < e->users ? e->users - (uint32_t)n : 0;
	dir->users -= !is_used(e);
}
